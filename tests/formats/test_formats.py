"""Claims about the report as a page, as test results and for code scanning."""

from __future__ import annotations

import html
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from dropaudit.acceptance import AcceptedFinding, accept
from dropaudit.findings import CATALOGUE
from dropaudit.report import Finding, Report, from_json, to_json
from dropaudit_client.terminal.outcome import Format, document_of
from dropaudit_formats.escape import is_unsafe, json_text, safe
from dropaudit_formats.junit import to_junit
from dropaudit_formats.sarif import to_sarif
from support.reports import finding, report_with

HOSTILE = "<b>&\"'\x1b[2J\x9b\u202e\ud800\uffff]]>--><script>"
"""Markup, an escape sequence, a C1 control, a turn of direction, a lone surrogate, a noncharacter, ends of things."""
UNKNOWN = Finding(
    code="DA999", slug="of-tomorrow", severity=finding("DA301", "").severity, subject="drop", message="m", remedy="r"
)


def suite_of(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(to_junit(report, "model.onnx")).findall("testsuite")[0]


def outcomes(report: Report) -> dict[str, list[str]]:
    """Return the tags in each test case, by class and name."""
    return {
        f"{case.get('classname')} {case.get('name')}": [part.tag for part in case]
        for case in suite_of(report).findall("testcase")
    }


@pytest.mark.parametrize("form", Format)
def test_names_from_a_model_steer_nothing_in_any_format(form: Format) -> None:
    report = report_with(finding("DA301", HOSTILE), site=HOSTILE, output=HOSTILE, title=HOSTILE)
    document = document_of(report, form, HOSTILE)
    assert not {char for char in document if is_unsafe(char)} - {"\n"}
    assert not set(document) & set("\x1b\x9b\u202e\ud800\uffff")
    assert document.encode()
    if form in (Format.HTML, Format.JUNIT):
        assert "<b>" not in document
        assert "<script>" not in document


def test_json_keeps_hostile_names_as_they_are() -> None:
    report = report_with(finding("DA301", HOSTILE), site=HOSTILE)
    assert from_json(json.loads(json_text(to_json(report)))) == report


def test_ordinary_names_stay_readable() -> None:
    assert safe("encoder/Größe_1:0 中") == "encoder/Größe_1:0 中"
    assert "Größe 😀" in json_text({"name": "Größe 😀"})


def test_a_healthy_report_passes_in_every_case() -> None:
    report = report_with()
    assert outcomes(report) == {"dropaudit.site loop/body/drop": [], "dropaudit.output y": []}
    assert suite_of(report).attrib == {
        "name": "model.onnx",
        "time": "0.000",
        "tests": "2",
        "failures": "0",
        "errors": "0",
        "skipped": "0",
    }


@pytest.mark.parametrize(
    ("code", "subject", "case", "tags"),
    [
        ("DA301", "drop", "dropaudit.site loop/body/drop", ["failure"]),
        ("DA301", "loop/body/drop", "dropaudit.site loop/body/drop", ["failure"]),
        ("DA102", "drop", "dropaudit.site loop/body/drop", ["system-out"]),
        ("DA403", "drop", "dropaudit.site loop/body/drop", ["system-out"]),
        ("DA901", "y", "dropaudit.output y", ["error"]),
        ("DA501", "y", "dropaudit.output y", ["failure"]),
        ("DA405", "runtime", "dropaudit.audit DA405 runtime-correlated-masks", ["system-out"]),
    ],
)
def test_errors_fail_undecided_tests_err_and_the_rest_passes_with_a_remark(
    code: str, subject: str, case: str, tags: list[str]
) -> None:
    assert outcomes(report_with(finding(code, subject)))[case] == tags


def test_several_findings_of_one_case_are_one_failure_that_tells_all() -> None:
    suite = suite_of(report_with(finding("DA301", "drop"), finding("DA201", "drop"), finding("DA102", "drop")))
    (case,) = suite.findall("testcase/[failure]")
    assert [part.tag for part in case] == ["failure", "system-out"]
    assert case[0].get("type") == "DA201 rate-mismatch DA301 scale-missing"
    assert "Cure DA301." in str(case[0].text)
    assert suite.get("failures") == "1"


def test_one_name_for_a_site_and_an_output_is_told_apart_by_the_code() -> None:
    report = report_with(finding("DA301", "y"), finding("DA305", "y"), site="y")
    tags = outcomes(report)
    assert tags == {"dropaudit.site loop/body/y": ["failure"], "dropaudit.output y": ["failure"]}


def test_a_report_about_nothing_still_has_a_case() -> None:
    empty = Report(verdict=report_with().verdict, summary="", execution=report_with().execution)
    assert outcomes(empty) == {"dropaudit.audit audit": []}


def sarif_run(report: Report) -> dict[str, Any]:
    log = json.loads(to_sarif(report, "models/größe 1.onnx"))
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    return dict(run)


def test_the_log_has_what_sarif_requires() -> None:
    run = sarif_run(report_with(finding("DA301", "drop"), finding("DA901", "y"), finding("DA102", "drop")))
    driver = run["tool"]["driver"]
    assert isinstance(driver["name"], str)
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"].endswith(".")
        assert {"text", "markdown"} <= set(rule["help"])
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert isinstance(result["message"]["text"], str)
        assert result["kind"] == "fail" or result["level"] == "none"
        location = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][location["index"]]["location"]["uri"] == location["uri"]
        assert unquote(location["uri"]) == "models/größe 1.onnx"
    assert all(isinstance(each["executionSuccessful"], bool) for each in run["invocations"])
    assert run["artifacts"][0]["hashes"]["sha-256"] == "ab" * 32


def test_the_rules_are_the_catalogue_with_its_long_forms() -> None:
    rules = sarif_run(report_with())["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CATALOGUE)
    assert "## Fix" in rules[0]["help"]["markdown"]


@pytest.mark.parametrize(
    ("code", "kind", "level"),
    [("DA301", "fail", "error"), ("DA102", "fail", "warning"), ("DA403", "fail", "note"), ("DA901", "open", "none")],
)
def test_severities_become_levels(code: str, kind: str, level: str) -> None:
    (result,) = sarif_run(report_with(finding(code, "drop")))["results"]
    assert (result["kind"], result["level"]) == (kind, level)
    assert result["properties"]["evidence"] == {"number": 1.5}


def test_equal_findings_have_equal_fingerprints_and_others_do_not() -> None:
    results = sarif_run(report_with(finding("DA301", "drop"), finding("DA301", "y"), finding("DA301", "y")))["results"]
    prints = [result["partialFingerprints"]["codeAndSubject/v1"] for result in results]
    assert prints[1] == prints[2] != prints[0]


@pytest.mark.parametrize("form", Format)
def test_a_code_of_a_newer_server_is_written_too(form: Format) -> None:
    assert "DA999" in document_of(report_with(UNKNOWN), form)


ACCEPTED = accept(
    report_with(finding("DA301", "drop"), finding("DA102", "drop")),
    [
        AcceptedFinding(
            code="DA301", reason="meant <so>", accepted_by="anna", expire_time=datetime(2027, 1, 2, tzinfo=UTC)
        )
    ],
    datetime(2026, 11, 26, tzinfo=UTC),
)
WHY = "Accepted by anna until 2027-01-02 00:00 UTC: meant <so>"


@pytest.mark.parametrize("form", [Format.TEXT, Format.HTML, Format.JUNIT, Format.SARIF])
def test_every_format_tells_what_is_accepted_with_the_reason(form: Format) -> None:
    assert WHY in html.unescape(document_of(ACCEPTED, form))


def test_what_is_accepted_fails_no_test_case_and_is_suppressed_in_code_scanning() -> None:
    assert outcomes(ACCEPTED)["dropaudit.site loop/body/drop"] == ["system-out"]
    assert suite_of(ACCEPTED).get("failures") == "0"
    results = json.loads(to_sarif(ACCEPTED))["runs"][0]["results"]
    assert {each["ruleId"]: "suppressions" in each for each in results} == {"DA102": False, "DA301": True}
    assert results[1]["suppressions"] == [{"kind": "external", "status": "accepted", "justification": WHY}]


@pytest.mark.parametrize("code", ["DA504", "DA105"])
def test_what_is_about_a_pair_or_a_model_stands_at_no_site_and_no_output(code: str) -> None:
    for name in ("drop", "y"):
        report = report_with(finding(code, name), finding("DA301", name))
        tags = outcomes(report)
        assert tags[f"dropaudit.audit {code} {CATALOGUE[code].slug}"]
        about_all, about_part = sorted(sarif_run(report)["results"], key=lambda each: each["ruleId"] != code)
        assert "logicalLocations" not in about_all["locations"][0]
        assert about_part["locations"][0]["logicalLocations"][0]["name"] == name
        assert f"{name}: {code} was measured." in about_all["message"]["text"]


def test_a_finding_about_an_output_stands_at_it_although_a_site_has_its_name() -> None:
    report = report_with(finding("DA305", "y"))
    assert outcomes(report)["dropaudit.output y"] == ["failure"]
