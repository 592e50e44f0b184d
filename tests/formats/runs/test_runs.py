"""Claims about the report of a run: what changed, in which order members stand, and that no name steers it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from xml.etree import ElementTree

import msgspec
import pytest

from dropaudit.changes import NotMade, compare_members
from dropaudit.report import Severity
from dropaudit_formats.escape import is_unsafe
from dropaudit_formats.page.trend import informative
from dropaudit_formats.results import Result
from dropaudit_formats.runs.page import MOST_ROWS, to_html
from dropaudit_formats.runs.report import RunReport, change_words, details_of, sentences
from dropaudit_formats.sarif import MOST_RESULTS
from dropaudit_formats.writing import MEDIA_TYPES, Form, run_text
from formats.test_schemas import HOSTILE, check_junit, check_sarif
from golden.written_runs import RUNS
from support.reports import finding, report_with


def hostile_run() -> RunReport:
    report = report_with(finding("DA301", HOSTILE), site=HOSTILE, output=HOSTILE, title=HOSTILE)
    results = (Result(HOSTILE, report, link=HOSTILE), Result(HOSTILE, NotMade(reason=HOSTILE, message=HOSTILE)))
    return RunReport(results, kind="member", title=HOSTILE, name=HOSTILE, word="FAIL", notes=(HOSTILE,))


@pytest.mark.parametrize("run", [*RUNS.values(), hostile_run()], ids=[*RUNS, "very hostile"])
def test_junit_and_sarif_of_any_run_validate(run: RunReport) -> None:
    check_junit(run_text(run, Form.JUNIT))
    check_sarif(run_text(run, Form.SARIF))


@pytest.mark.parametrize("form", Form)
def test_no_name_in_a_run_steers_a_document(form: Form) -> None:
    text = run_text(hostile_run(), form)
    assert not {char for char in text if is_unsafe(char)} - {"\n"}
    if form in (Form.HTML, Form.JUNIT):
        assert "<b>" not in text
    if form is Form.HTML:
        # Of programs there is the page's own.
        assert text.count("<script") == 1


def test_every_form_has_a_media_type() -> None:
    assert set(MEDIA_TYPES) == set(Form)


def test_the_policy_of_the_page_names_its_one_program() -> None:
    page = to_html(RUNS["changed"])
    (program,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page


def test_the_gravest_come_first_and_of_equals_what_changed() -> None:
    words = [(each.word, each.name) for each in RUNS["changed"].gravest_first]
    assert [name for _, name in words][:4] == ["gone-wrong.onnx", "broken.onnx", "undecided.onnx", "new.onnx"]
    assert words[-1] == ("PASS", "good.onnx")


def test_it_is_said_how_many_changed_since_the_run_before_and_since_the_baseline() -> None:
    assert sentences(RUNS["changed"]) == [
        "Compared with the run before (fedcba98), 7 members differ: 2 failed, 2 recovered, 3 otherwise.",
        "Compared with the baseline (00000000), 5 members differ: 2 failed, 2 recovered, 1 otherwise.",
    ]
    assert sentences(RUNS["first"]) == []


def test_what_became_of_a_member_is_said_in_a_few_words() -> None:
    good, bad = report_with(), report_with(finding("DA301", "drop"))
    failed = compare_members("a", good, bad)
    assert (change_words(failed), details_of(failed)) == ("failed, PASS before", ["new DA301 scale-missing of drop"])
    assert change_words(compare_members("a", NotMade(reason="R"), good)) == "recovered, not made before"
    assert change_words(compare_members("a", None, good)) == "added"
    assert change_words(compare_members("a", None, bad)) == "failed, added"
    assert change_words(compare_members("a", good, good)) == change_words(None) == "unchanged"


def test_sarif_says_which_findings_are_new() -> None:
    (log,) = json.loads(run_text(RUNS["changed"], Form.SARIF))["runs"]
    states = {
        (each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], each["ruleId"]): each["baselineState"]
        for each in log["results"]
    }
    assert states["broken.onnx", "DA301"] == states["new.onnx", "DA402"] == "new"
    assert states["accepted.onnx", "DA301"] == "unchanged"
    assert log["automationDetails"]["id"] == RUNS["changed"].name


def test_of_too_many_results_the_gravest_are_kept() -> None:
    """GitHub shows 5,000 results of a run, and takes no file of more than 10 MB."""
    mild = tuple(Result(f"{place}.onnx", report_with(finding("DA403", "drop"))) for place in range(MOST_RESULTS))
    grave = tuple(Result(f"bad-{place}.onnx", report_with(finding("DA301", "drop"))) for place in range(20))
    text = run_text(RunReport((*mild, *grave), kind="member"), Form.SARIF)
    check_sarif(text)
    (log,) = json.loads(text)["runs"]
    assert len(log["results"]) == MOST_RESULTS
    assert sum(each["level"] == "error" for each in log["results"]) == 20
    (note,) = log["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("20 findings beyond 5000 are left out")


def test_a_page_of_very_many_members_shows_the_gravest_and_counts_the_rest() -> None:
    good = Result("good.onnx", report_with())
    bad = Result("bad.onnx", report_with(finding("DA301", "drop")))
    page = to_html(RunReport((*[good] * (MOST_ROWS + 99), bad), kind="member"))
    assert page.count('<tr data-word="PASS"') == MOST_ROWS - 1
    assert page.count('<tr data-word="FAIL"') == 1
    assert "100 more, none of them graver" in page
    assert len(page.encode()) < 3_000_000


def test_markdown_of_very_many_members_stays_within_what_github_shows() -> None:
    long = "m" * 400
    report = report_with(*(finding("DA301", f"site-{place}-{long}") for place in range(300)), title=long)
    run = RunReport(tuple(Result(f"{long}-{place}.onnx", report) for place in range(300)), kind="member")
    assert len(run_text(run, Form.MARKDOWN).encode()) < 1 << 20


def test_junit_of_a_run_errs_where_an_audit_has_not_ended() -> None:
    root = ElementTree.fromstring(run_text(RUNS["running"], Form.JUNIT))
    assert (root.get("tests"), root.get("errors"), root.get("failures")) == ("1", "1", "0")


def test_junit_of_a_run_without_members_errs() -> None:
    root = ElementTree.fromstring(run_text(RUNS["empty"], Form.JUNIT))
    assert (root.get("tests"), root.get("errors")) == ("1", "1")


def test_json_tells_of_each_member_its_verdict_its_findings_what_changed_and_its_trend() -> None:
    document = json.loads(run_text(RUNS["changed"], Form.JSON))
    members = {each["member"]: each for each in document["members"]}
    broken = members["broken.onnx"]
    assert (broken["verdict"], broken["change"]["status"]) == ("FAIL", "FAILED")
    assert [each["code"] for each in broken["findings"]] == ["DA301"]
    assert [each["verdict"] for each in broken["history"]] == ["PASS", "PASS", "FAIL"]
    assert [point["value"]["estimate"] for point in broken["series"][0]["points"]] == [1.0, 1.001, 0.801]
    assert members["gone-wrong.onnx"]["error"] == {"reason": "INVALID_MODEL", "message": "the file is cut off"}
    assert document["since"]["removed"] == ["removed.onnx"]


def test_a_kind_of_finding_stands_once_with_every_member_that_has_it() -> None:
    one = Result("one.onnx", report_with(finding("DA301", "a")))
    other = Result("other.onnx", report_with(finding("DA301", "b"), finding("DA402", "b")))
    page = to_html(RunReport((one, other)))
    assert page.count('<article class="finding') == 2
    assert page.count('id="da301-error"') == 1
    # Of the table, and of the kind.
    assert page.count("one.onnx") == 2


def test_the_drawing_shows_the_measure_that_moved() -> None:
    (moved,) = RUNS["changed"].results[1].series
    still = msgspec.structs.replace(moved, subject="still", points=tuple(moved.points[:1]) * 3)
    assert informative((still, moved)) == moved
    assert informative((still,)) is None
    assert informative(()) is None


def test_severities_of_kinds_stand_gravest_first() -> None:
    codes = re.findall(r'<article class="finding (\w+)"', to_html(RUNS["changed"]))
    assert codes == [each.value for each in (Severity.ERROR, Severity.WARNING, Severity.INFO)]
