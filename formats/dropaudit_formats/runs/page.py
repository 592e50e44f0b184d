"""The report of a run as one HTML page: its table is sorted and filtered by a program of its own, and by no other."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from dropaudit_formats.page.environment import hash_of, program, rendered, style
from dropaudit_formats.page.trend import measure_words, trend
from dropaudit_formats.results import Result, gravity
from dropaudit_formats.runs.kinds import kinds_of
from dropaudit_formats.runs.report import RunReport, change_words, details_of, sentences

PROGRAM = "run.js"
# A table of 2,000 rows is 2 MB; more are counted, and stand in the JSON.
MOST_ROWS = 2_000
_MOST_DETAILS = 6


class Change(msgspec.Struct, frozen=True):
    """The changes of a member, in a few words and one by one in sentences."""

    words: str
    details: Sequence[str]
    more: int = 0


class Row(msgspec.Struct, frozen=True):
    """A line of the table; `codes` are those of open findings, each with its kind's anchor and severity."""

    result: Result
    gravity: int
    codes: Sequence[tuple[str, str, str]]
    accepted: Sequence[str]
    change: Change
    since_baseline: Change
    trend: Markup
    measure: str


class Table(msgspec.Struct, frozen=True):
    """The members of a run as a page shows them."""

    rows: Sequence[Row]
    kind: str
    left_out: int
    has_since: bool
    has_baseline: bool
    has_trends: bool
    words: Sequence[str]


def to_html(report: RunReport) -> str:
    """Return the page; every name and sentence is escaped."""
    return rendered(
        "run.html.j2",
        report=report,
        style=style("report.css", "findings.css", "run.css"),
        program=program(PROGRAM),
        hash=hash_of(PROGRAM),
        table=table_of(report),
        kinds=kinds_of(report.results),
        sentences=sentences(report),
    )


def table_of(report: RunReport, most: int = MOST_ROWS) -> Table:
    """Return the first rows, gravest first."""
    shown = report.gravest_first[:most]
    rows = [row_of(result) for result in shown]
    return Table(
        rows=rows,
        kind=report.kind,
        left_out=len(report.results) - len(shown),
        has_since=report.since is not None,
        has_baseline=report.baseline is not None,
        has_trends=any(row.trend for row in rows),
        words=list(dict.fromkeys(row.result.word for row in rows)),
    )


def row_of(result: Result) -> Row:
    """Return the line about a member."""
    return Row(
        result=result,
        gravity=gravity(result.word),
        codes=_codes(result),
        accepted=_accepted(result),
        change=_change(change_words(result.change), details_of(result.change)),
        since_baseline=_change(change_words(result.since_baseline), details_of(result.since_baseline)),
        trend=trend(result),
        measure=measure_words(result),
    )


def _change(words: str, details: Sequence[str]) -> Change:
    return Change(words, details[:_MOST_DETAILS], max(0, len(details) - _MOST_DETAILS))


def _codes(result: Result) -> list[tuple[str, str, str]]:
    return [
        (kind.group.code, kind.group.severity.value, kind.anchor)
        for kind in kinds_of([result])
        if not kind.group.acceptance
    ]


def _accepted(result: Result) -> list[str]:
    return list(dict.fromkeys(each.code for each in result.findings if each.acceptance is not None))
