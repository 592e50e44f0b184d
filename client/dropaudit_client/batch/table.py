"""The report of several files as a table."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dropaudit.changes import NotMade
from dropaudit.findings import open_ones
from dropaudit_client.batch.results import Batch
from dropaudit_client.comparison.render import render_changes
from dropaudit_formats.escape import safe
from dropaudit_formats.results import NOT_MADE, Result, total

_STYLES = {
    "PASS": "bold green",
    "WARN": "bold yellow",
    "FAIL": "bold red",
    "INCONCLUSIVE": "bold magenta",
    NOT_MADE: "bold red",
}


def render_batch(batch: Batch) -> RenderableType:
    """Lay several files out: a table, the summary of each that is not PASS, the counts, and what changed."""
    results = batch.results
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for header in ("Verdict", "File", "Findings"):
        table.add_column(header, overflow="fold")
    for result in results:
        table.add_row(Text(result.word, _STYLES[result.word]), Text(safe(result.name)), Text(codes_of(result)))
    parts: list[RenderableType] = [table, Text()]
    for result in results:
        if result.word != "PASS":
            head = Text.assemble((result.word, _STYLES[result.word]), (f"  {safe(result.name)}", "bold"))
            parts += [head, Padding(Text(safe(result.summary)), (0, 0, 0, 2)), Text()]
    parts.append(Text(total(results)))
    if batch.change is not None:
        parts += [Text(), render_changes(batch.change.members)]
    return Group(*parts)


def codes_of(result: Result) -> str:
    """Return the codes that were found, those that are accepted in parentheses; a reason where nothing was audited."""
    if isinstance(result.outcome, NotMade):
        return result.outcome.reason
    findings = result.outcome.findings
    counted = dict.fromkeys(finding.code for finding in open_ones(findings))
    accepted = dict.fromkeys(f"({finding.code})" for finding in findings if finding.acceptance)
    return " ".join([*counted, *accepted]) or "-"
