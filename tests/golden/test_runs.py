"""Claims about what the report of a run looks like in each format: exactly like its golden file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dropaudit_formats.writing import Form, run_text
from golden.written_runs import RUNS
from support.golden import Golden

FOLDER = Path(__file__).parent / "runs"
SUFFIXES = {Form.JSON: "json", Form.HTML: "html", Form.JUNIT: "xml", Form.SARIF: "sarif", Form.MARKDOWN: "md"}
# Pages hold the long forms of findings: one is enough.
ONCE = (Form.HTML, Form.SARIF)
CASES = [(name, form) for name in RUNS for form in SUFFIXES if form not in ONCE or name == "changed"]


@pytest.mark.parametrize(("name", "form"), CASES, ids=[f"{name}-{form}" for name, form in CASES])
def test_a_run_looks_like_its_golden_file(name: str, form: Form, golden: Golden) -> None:
    text = run_text(RUNS[name], form)
    golden.check(FOLDER / f"{name}.{SUFFIXES[form]}", without_rules(text) if form is Form.SARIF else text)


def without_rules(text: str) -> str:
    """Return a log without the long forms of all findings, which have tests of their own."""
    log = json.loads(text)
    del log["runs"][0]["tool"]["driver"]["rules"]
    return json.dumps(log, indent=2) + "\n"


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.{SUFFIXES[form]}" for name, form in CASES}
