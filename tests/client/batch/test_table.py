from __future__ import annotations

from typing import Any

from rich.text import Text

from dropaudit.changes import NotMade
from dropaudit_client.batch.results import Batch
from dropaudit_client.batch.table import codes_of, render_batch
from dropaudit_client.terminal.render import to_text
from dropaudit_formats.results import Result
from support.reports import finding, report_with

GOOD = Result("good.onnx", report_with())
BAD = Result("bad.onnx", report_with(finding("DA301", "drop"), finding("DA301", "head"), finding("DA102", "drop")))
GONE = Result("gone.onnx", NotMade(reason="UNREADABLE_FILE", message="cannot read gone.onnx"))


def test_a_long_name_is_folded_and_not_cut() -> None:
    parts = [f"{n:04d}" for n in range(40)]
    shown = to_text(render_batch(Batch((Result("".join(parts) + ".onnx", report_with()),))))
    folded = "".join(shown.replace("-", " ").split())
    assert "".join(parts) in folded
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_verdicts_have_colours() -> None:
    rendered: Any = render_batch(Batch((GOOD, BAD, GONE)))
    cells = [*rendered.renderables[0].columns[0].cells]
    assert all(isinstance(cell, Text) for cell in cells)
    assert [(cell.plain, cell.style) for cell in cells] == [
        ("PASS", "bold green"),
        ("FAIL", "bold red"),
        ("NOT MADE", "bold red"),
    ]


def test_each_code_is_told_once_and_a_reason_where_nothing_was_audited() -> None:
    assert [codes_of(each) for each in (GOOD, BAD, GONE)] == ["-", "DA301 DA102", "UNREADABLE_FILE"]
