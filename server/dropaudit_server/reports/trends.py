"""How the members of a run stood, and what was measured of them, in the runs before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dropaudit.changes import Series
from dropaudit.changes.trends import Sample, trends
from dropaudit.report import from_json
from dropaudit_formats.results import NOT_MADE, gravity
from dropaudit_store.audits.reader import AuditReader, Standing
from dropaudit_store.records import Run
from dropaudit_store.runs.comparing import RunComparer
from dropaudit_store.runs.outcomes import Side
from dropaudit_store.runs.reader import RunReader

# Runs that a trend looks back on, the last one included.
MOST_RUNS = 12
# Reports that are read for what was measured; where that is not enough, members that come first have it.
_MOST_REPORTS = 500


@dataclass(frozen=True, slots=True)
class Trend:
    """A member's verdict in each run, oldest first, and what was measured."""

    history: tuple[tuple[str, str], ...] = ()
    series: tuple[Series, ...] = ()


class Trends:
    """Reads trends, over the store."""

    def __init__(self, runs: RunReader, comparer: RunComparer, audits: AuditReader) -> None:
        self._runs = runs
        self._comparer = comparer
        self._audits = audits

    def of(self, run: Run, side: Side, names: Sequence[str]) -> dict[str, Trend]:
        """Return the trends of members, those that come first with what was measured.

        Args:
            side: the run by the names of its members.
        """
        earlier = self._runs.earlier(run, MOST_RUNS - 1)
        sides = [*map(self._comparer.side, reversed(earlier)), side]
        standings = self._audits.standings(list({*_audits_of(sides, names)}), summaries=False)
        left = _MOST_REPORTS
        found: dict[str, Trend] = {}
        for name in names:
            audits = {side.run.id: audit for side in sides if (audit := side.audit_of(name))}
            distinct = set(audits.values())
            series = self._series(audits) if 1 < len(distinct) <= left else ()
            left -= len(distinct) if series else 0
            found[name] = Trend(tuple(_history(sides, name, standings)), series)
        return found

    def gravest_first(self, side: Side) -> list[str]:
        """Return the names of a run's members, the gravest first, without a look at reports."""
        standings = self._audits.standings(list({*_audits_of([side], list(side.members))}), summaries=False)
        words = {name: _word(side, name, standings.get(side.audit_of(name))) for name in side.members}
        return sorted(side.members, key=lambda name: gravity(words[name]))

    def _series(self, audits: Mapping[str, str]) -> tuple[Series, ...]:
        """Return what was measured, by the audit of each run, oldest first; a reused report stands in each of them."""
        records = self._audits.find_many(set(audits.values()))
        reports = {audit: from_json(record.report) for audit, record in records.items() if record.report}
        return trends(Sample(label=run, report=reports[audit]) for run, audit in audits.items() if audit in reports)


def _audits_of(sides: Sequence[Side], names: Sequence[str]) -> Iterator[str]:
    return (audit for side in sides for name in names if (audit := side.audit_of(name)))


def _history(sides: Sequence[Side], name: str, standings: Mapping[str, Standing]) -> Iterator[tuple[str, str]]:
    for side in sides:
        if name not in side.members:
            continue
        standing = standings.get(side.audit_of(name))
        if standing is None and side.audit_of(name):
            # It has expired: nobody knows any more.
            continue
        yield side.run.id, _word(side, name, standing)


def _word(side: Side, name: str, standing: Standing | None) -> str:
    if name in side.verdicts:
        return side.verdicts[name].verdict
    if standing is None or standing.verdict:
        return standing.verdict if standing else NOT_MADE
    return NOT_MADE if standing.end_time is not None else standing.state.value
