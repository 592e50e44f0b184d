"""Claims about what a report looks like in each format: exactly like its golden file, which `make golden` renews."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dropaudit.report import from_json
from dropaudit_client.formats.escape import json_text
from dropaudit_client.terminal.outcome import Format, document_of
from golden.written_reports import REPORTS
from support.golden import Golden

FOLDER = Path(__file__).parent / "reports"
SUFFIXES = {
    Format.TEXT: "txt",
    Format.JSON: "json",
    Format.HTML: "html",
    Format.JUNIT: "junit.xml",
    Format.SARIF: "sarif",
    Format.MARKDOWN: "md",
}
"""Formats with golden files, and how these end; a format is added here, and `make golden` writes its files."""
CASES = [(name, form) for name in REPORTS for form in SUFFIXES]

# Style, the report's JSON and the long forms of findings: the same in every page, or in golden files of their own.
_ELSEWHERE = re.compile(
    r"(<(style|script)[^>]*>).*?(</\2>)|(<details><summary>[^<]*</summary>).*?(</details>)", re.DOTALL
)


def without_long_forms(text: str, form: Format) -> str:
    """Return a document without what says nothing of this report: explanations, style, the version of the tool."""
    if form is Format.HTML:
        return _ELSEWHERE.sub(r"\1\4…\3\5", text)
    if form is Format.SARIF:
        document = json.loads(text)
        driver = document["runs"][0]["tool"]["driver"]
        driver["version"] = "…"
        driver["rules"] = [rule["id"] for rule in driver["rules"]]
        return json_text(document)
    return text


@pytest.mark.parametrize(("name", "form"), CASES, ids=[f"{name}-{form}" for name, form in CASES])
def test_a_report_looks_like_its_golden_file(name: str, form: Format, golden: Golden) -> None:
    text = without_long_forms(document_of(REPORTS[name], form, f"{name}.onnx"), form)
    golden.check(FOLDER / f"{name}.{SUFFIXES[form]}", text)


@pytest.mark.parametrize("name", REPORTS)
def test_a_golden_json_file_is_the_whole_report(name: str) -> None:
    assert from_json(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))) == REPORTS[name]


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.{SUFFIXES[form]}" for name, form in CASES}
