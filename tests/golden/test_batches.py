"""Claims about one document of several files, and of an audit that was not made: exactly like their golden files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dropaudit.changes import NotMade
from dropaudit_client.batch.delivery import batch_text
from dropaudit_client.batch.results import Batch
from dropaudit_client.terminal.outcome import Format
from dropaudit_formats.not_made import ErrorDocument
from dropaudit_formats.results import Result
from golden.documents import SUFFIXES, without_long_forms
from golden.written_reports import HOSTILE, REPORTS
from support.golden import Golden

FOLDER = Path(__file__).parent / "batches"
MISSING = NotMade(reason="UNREADABLE_FILE", message="cannot read gone.onnx")
BATCHES = {
    "several": (*(Result(f"models/{name}.onnx", report) for name, report in REPORTS.items() if name != "crowded"),),
    "missing": (Result("good.onnx", REPORTS["healthy"]), Result("gone.onnx", MISSING)),
    "hostile": (Result(HOSTILE, NotMade(reason="INVALID_MODEL", message=HOSTILE)),),
}
BATCH_CASES = [(name, form) for name in BATCHES for form in Format]
ERROR = ErrorDocument("INVALID_DOCUMENT", f"2 problems: {HOSTILE}", [{"file": "a.yaml", "line": 3, "message": "no"}])
WRITERS = {
    Format.JSON: ErrorDocument.as_json,
    Format.JUNIT: ErrorDocument.as_junit,
    Format.SARIF: ErrorDocument.as_sarif,
    Format.MARKDOWN: ErrorDocument.as_markdown,
    Format.HTML: ErrorDocument.as_html,
}


@pytest.mark.parametrize(("name", "form"), BATCH_CASES, ids=[f"{name}-{form}" for name, form in BATCH_CASES])
def test_several_files_look_like_their_golden_file(name: str, form: Format, golden: Golden) -> None:
    text = without_long_forms(batch_text(Batch(BATCHES[name]), form), form)
    golden.check(FOLDER / f"{name}.{SUFFIXES[form]}", text)


@pytest.mark.parametrize("form", WRITERS)
def test_an_audit_that_was_not_made_looks_like_its_golden_file(form: Format, golden: Golden) -> None:
    golden.check(FOLDER / f"error.{SUFFIXES[form]}", without_long_forms(WRITERS[form](ERROR), form))


def test_no_golden_file_is_left_over() -> None:
    expected = {f"{name}.{SUFFIXES[form]}" for name, form in BATCH_CASES} | {
        f"error.{SUFFIXES[form]}" for form in WRITERS
    }
    assert {path.name for path in FOLDER.iterdir()} == expected
