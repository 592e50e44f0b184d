"""The report of a run as Markdown, for a summary that a CI system shows."""

from __future__ import annotations

from collections.abc import Iterator

from dropaudit_formats import wording
from dropaudit_formats.markdown import code, listed, plain, table
from dropaudit_formats.results import Result
from dropaudit_formats.runs.kinds import KindOfFinding, kinds_of
from dropaudit_formats.runs.report import RunReport, change_words, details_of, sentences

# GitHub shows a summary of 1 MiB at most.
_MOST_PLACES = 20
_MOST_DETAILS = 5
_MOST_REMEDIES = 5


def to_markdown(report: RunReport) -> str:
    """Return a heading with the counts, what changed, a table of the members, and each kind of finding once."""
    head = f"## {plain(report.word)}: {plain(report.title)}" if report.title else f"## {plain(report.total)}"
    blocks = [
        head,
        *([plain(f"{report.total}.")] if report.title else []),
        *map(plain, (*sentences(report), *report.notes)),
        *table(_titles(report), [_row(each, report) for each in report.gravest_first]),
        *map(_kind, kinds_of(report.results)),
    ]
    return "\n\n".join(blocks) + "\n"


def _titles(report: RunReport) -> list[str]:
    changed = ["What changed"] if report.since else []
    return ["Verdict", report.kind.capitalize(), *changed, "Summary"]


def _row(result: Result, report: RunReport) -> list[str]:
    changed = [_change(result)] if report.since else []
    return [plain(result.word), code(result.name), *changed, plain(" ".join(result.summary.split()))]


def _change(result: Result) -> str:
    details = details_of(result.change)
    more = [f"and {len(details) - _MOST_DETAILS} more"] if len(details) > _MOST_DETAILS else []
    return "<br>".join(map(plain, (change_words(result.change), *details[:_MOST_DETAILS], *more)))


def _kind(kind: KindOfFinding) -> str:
    group = kind.group
    accepted = "accepted " if group.acceptance else ""
    head = f"**{accepted}{group.severity} {plain(group.code)} {plain(group.slug)}** in {kind.members}"
    return "\n".join([f"{head} ({wording.SEVERITIES[group.severity]})", "", *_places(kind), "", _last(kind)])


def _places(kind: KindOfFinding) -> Iterator[str]:
    for place in kind.places[:_MOST_PLACES]:
        yield f"- {code(place.member)}: {listed(place.subjects)}: {plain(place.message)}"
    if (more := len(kind.places) - _MOST_PLACES) > 0:
        yield f"- and {more} more"


def _last(kind: KindOfFinding) -> str:
    remedies = list(kind.remedies)[:_MOST_REMEDIES]
    return plain(kind.group.acceptance) or f"What to change: {' '.join(map(plain, remedies))}"
