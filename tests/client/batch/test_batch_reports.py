"""Claims about one report of several files, in every format."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from dropaudit.changes import NotMade
from dropaudit.report import from_json
from dropaudit_client.batch.delivery import batch_text
from dropaudit_client.batch.results import Batch, status_of
from dropaudit_client.terminal.outcome import Exit, FailOn, Format
from dropaudit_formats.escape import is_unsafe
from dropaudit_formats.results import Result, total
from support.reports import finding, report_with

HOSTILE = "a<b>\x1b[2J\u202e.onnx"
GOOD = Result("good.onnx", report_with())
WARNED = Result("warned.onnx", report_with(finding("DA102", "drop")))
BAD = Result("bad.onnx", report_with(finding("DA301", "drop"), title="drop: DA301."))
OPEN = Result("open.onnx", report_with(finding("DA901", "drop"), title="drop: DA901."))
GONE = Result("gone.onnx", NotMade(reason="UNREADABLE_FILE", message="cannot read gone.onnx"))
ALL = [GOOD, BAD, GONE, OPEN, WARNED]


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([GOOD, WARNED], Exit.OK),
        ([GOOD, OPEN], Exit.INCONCLUSIVE),
        ([OPEN, BAD], Exit.FAIL),
        ([BAD, GONE], Exit.NOT_MADE),
        (ALL, Exit.NOT_MADE),
        ([], Exit.OK),
    ],
)
def test_what_could_not_be_audited_comes_before_fail_and_this_before_inconclusive(
    results: list[Result], status: Exit
) -> None:
    assert status_of(results) is status
    assert status_of(list(reversed(results))) is status


def test_a_warning_fails_all_where_that_is_asked_for() -> None:
    assert status_of([GOOD, WARNED], FailOn.WARN) is Exit.FAIL


def test_the_counts_stand_gravest_first() -> None:
    assert total(ALL) == "5 files: 1 FAIL, 1 NOT MADE, 1 INCONCLUSIVE, 1 WARN, 1 PASS"
    assert total([GOOD]) == "1 file: 1 PASS"


def test_text_is_a_table_and_the_summaries_of_what_is_not_right() -> None:
    lines = batch_text(Batch((*ALL,)), Format.TEXT).splitlines()
    assert lines[0].split() == ["Verdict", "File", "Findings"]
    assert [line.split() for line in lines[2:7]] == [
        ["PASS", "good.onnx", "-"],
        ["FAIL", "bad.onnx", "DA301"],
        ["NOT", "MADE", "gone.onnx", "UNREADABLE_FILE"],
        ["INCONCLUSIVE", "open.onnx", "DA901"],
        ["WARN", "warned.onnx", "DA102"],
    ]
    assert "  cannot read gone.onnx" in lines
    assert max(map(len, lines)) <= 80


def test_json_holds_every_report_and_every_error() -> None:
    document = json.loads(batch_text(Batch((*ALL,)), Format.JSON))
    assert document["counts"] == {"FAIL": 1, "NOT MADE": 1, "INCONCLUSIVE": 1, "WARN": 1, "PASS": 1}
    assert [each["file"] for each in document["files"]] == [each.name for each in ALL]
    assert from_json(document["files"][1]["report"]) == BAD.outcome
    assert document["files"][2]["error"] == {"reason": "UNREADABLE_FILE", "message": "cannot read gone.onnx"}


def test_junit_has_a_suite_for_each_file_and_errs_where_there_is_no_report() -> None:
    root = ElementTree.fromstring(batch_text(Batch((*ALL,)), Format.JUNIT))
    suites = {suite.get("name"): suite for suite in root.findall("testsuite")}
    assert list(suites) == [each.name for each in ALL]
    (error,) = suites["gone.onnx"].findall("testcase/error")
    assert (error.get("type"), error.get("message")) == ("UNREADABLE_FILE", "cannot read gone.onnx")
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("9", "1", "2")


def test_sarif_is_one_run_whose_results_name_their_file() -> None:
    (run,) = json.loads(batch_text(Batch((*ALL,)), Format.SARIF))["runs"]
    places = [each["locations"][0]["physicalLocation"]["artifactLocation"] for each in run["results"]]
    assert [run["artifacts"][each["index"]]["location"]["uri"] for each in places] == [each["uri"] for each in places]
    assert [each["uri"] for each in places] == ["bad.onnx", "open.onnx", "warned.onnx"]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["descriptor"] == {"id": "UNREADABLE_FILE"}
    whole = json.loads(batch_text(Batch((GOOD,)), Format.SARIF))["runs"][0]["invocations"]
    assert whole == [{"executionSuccessful": True}]


def test_html_is_one_page_with_every_file() -> None:
    page = batch_text(Batch((*ALL,)), Format.HTML)
    assert page.count("<!DOCTYPE html>") == page.count("</html>") == 1
    assert all(f"<code>{each.name}</code>" in page for each in ALL)
    assert page.count("<details><summary>") >= 4


@pytest.mark.parametrize("form", Format)
def test_names_of_files_steer_nothing(form: Format) -> None:
    hostile = [Result(HOSTILE, BAD.outcome), Result(HOSTILE, NotMade(reason="R", message=HOSTILE))]
    document = batch_text(Batch((*hostile,)), form)
    assert not {char for char in document if is_unsafe(char)} - {"\n"}
    if form in (Format.HTML, Format.JUNIT):
        assert "<b>" not in document
