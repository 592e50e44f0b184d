"""Claims about what a report looks like in each format: exactly like its golden file, which `make golden` renews."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dropaudit.report import from_json
from dropaudit_client.terminal.outcome import Format, document_of
from golden.documents import SUFFIXES, without_long_forms
from golden.written_reports import REPORTS
from support.golden import Golden

FOLDER = Path(__file__).parent / "reports"
# What is crowded is long; only these formats leave some of it out.
SHORT_FORMS = (Format.TEXT, Format.MARKDOWN, Format.JSON)
CASES = [(name, form) for name in REPORTS for form in (SHORT_FORMS if name == "crowded" else Format)]


@pytest.mark.parametrize(("name", "form"), CASES, ids=[f"{name}-{form}" for name, form in CASES])
def test_a_report_looks_like_its_golden_file(name: str, form: Format, golden: Golden) -> None:
    text = without_long_forms(document_of(REPORTS[name], form, f"{name}.onnx"), form)
    golden.check(FOLDER / f"{name}.{SUFFIXES[form]}", text)


@pytest.mark.parametrize("name", REPORTS)
def test_a_golden_json_file_is_the_whole_report(name: str) -> None:
    assert from_json(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))) == REPORTS[name]


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.{SUFFIXES[form]}" for name, form in CASES}
