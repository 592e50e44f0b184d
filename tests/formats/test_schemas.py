"""Claims about what machines read: it validates, whatever was found and also where no audit could be made."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest
import xmlschema

from dropaudit.findings import CATALOGUE
from dropaudit.report import Report
from dropaudit_formats.junit import to_junit
from dropaudit_formats.not_made import ErrorDocument
from dropaudit_formats.sarif import MOST_RESULTS, to_sarif
from support.command import dropaudit
from support.pictured import NAMES, pictured_report
from support.reports import finding, report_with

SCHEMAS = Path(__file__).parents[1] / "schemas"
HOSTILE = "<b>&\"'\x1b[2J\x9b\u202e\ud800\uffff]]>--><script>|`" + "n" * 10_000


def check_sarif(text: str) -> None:
    schema = json.loads((SCHEMAS / "sarif.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    # GitHub refuses files of more than 10 MB, gzipped.
    assert len(text.encode()) < 10_000_000


def check_junit(text: str) -> None:
    xmlschema.XMLSchema(SCHEMAS / "junit.xsd").validate(ElementTree.fromstring(text))


def reports() -> dict[str, Report]:
    empty = Report(verdict=report_with().verdict, summary="", execution=report_with().execution)
    return {
        "healthy": report_with(),
        "empty": empty,
        "every code": report_with(*(finding(code, "drop") for code in CATALOGUE)),
        "hostile": report_with(finding("DA301", HOSTILE), site=HOSTILE, output=HOSTILE, title=HOSTILE),
        "of tomorrow": report_with(msgspec.structs.replace(finding("DA301", "drop"), code="DA999", slug="new")),
        "too many": report_with(*(finding("DA301", f"s{number}") for number in range(MOST_RESULTS + 10))),
    }


REPORTS = reports()


@pytest.mark.parametrize("name", REPORTS)
def test_any_report_validates(name: str) -> None:
    check_sarif(to_sarif(REPORTS[name], HOSTILE))
    check_junit(to_junit(REPORTS[name], HOSTILE))


@pytest.mark.parametrize("name", NAMES)
def test_real_reports_validate(name: str) -> None:
    check_sarif(to_sarif(*pictured_report(name)))
    check_junit(to_junit(*pictured_report(name)))


def test_findings_beyond_what_github_shows_are_counted() -> None:
    (run,) = json.loads(to_sarif(REPORTS["too many"], "m.onnx"))["runs"]
    assert len(run["results"]) == MOST_RESULTS
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("10 findings beyond 5000 are left out")


@pytest.mark.parametrize("message", ["cannot read m.onnx: No such file or directory", HOSTILE])
def test_an_audit_that_could_not_be_made_validates_and_is_an_error(message: str) -> None:
    error = ErrorDocument("UNREADABLE_FILE", message)
    check_sarif(error.as_sarif())
    check_junit(error.as_junit())
    (run,) = json.loads(error.as_sarif())["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    root = ElementTree.fromstring(error.as_junit())
    assert root.attrib["errors"] == "1"
    assert root.find("testsuite/testcase/error[@type='UNREADABLE_FILE']") is not None


@pytest.mark.parametrize(("form", "check"), [("sarif", check_sarif), ("junit", check_junit)])
@pytest.mark.parametrize("arguments", [("run", "missing.onnx"), ("run", __file__), ("run", "m.onnx", "--alpha", "7")])
@pytest.mark.parametrize("filed", [False, True])
def test_the_command_writes_an_error_where_the_report_would_have_been(
    form: str, check: type, arguments: tuple[str, ...], filed: bool, tmp_path: Path
) -> None:
    place = tmp_path / "results"
    ended = dropaudit(*arguments, "--format", form, *(("-o", place) if filed else ()))
    assert ended.returncode == 2
    assert ended.stderr.startswith("dropaudit: ")
    check(place.read_text() if filed else ended.stdout)
    assert not (filed and ended.stdout)


def test_a_json_error_goes_into_the_file_that_was_asked_for(tmp_path: Path) -> None:
    ended = dropaudit("run", "missing.onnx", "--format=json", f"--output={tmp_path / 'r.json'}")
    assert json.loads((tmp_path / "r.json").read_text())["error"]["reason"] == "UNREADABLE_FILE"
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("dropaudit: cannot read missing.onnx")


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_people_are_told_in_their_format_too(form: str) -> None:
    ended = dropaudit("run", "missing.onnx", "--format", form)
    assert "No such file" in ended.stdout.replace("\\", "")
    assert ended.returncode == 2
