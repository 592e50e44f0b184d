"""From the records of a run to its report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from dropaudit.changes import MemberChange, NotMade, Outcome
from dropaudit.changes.members import Kind, Status
from dropaudit.report import Execution, Report
from dropaudit_formats.results import Result, gravity
from dropaudit_formats.runs.report import RunReport, Since
from dropaudit_formats.runs.wire import member_changes
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.reports.trends import Trend, Trends
from dropaudit_server.runs.handlers import RunStatus
from dropaudit_server.runs.responses import comparison, state_of
from dropaudit_store.records import AuditState, Suite
from dropaudit_store.runs.comparing import RunComparer
from dropaudit_store.runs.outcomes import OutcomeReader, Side
from dropaudit_store.runs.verdicts import verdict_of

_WAITING = frozenset({AuditState.QUEUED.value, AuditState.RUNNING.value})
# Of one member; more stand in its own report.
_MOST_FINDINGS = 100
_MOST_NAMES = 500


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a run a report is to show.

    Attributes:
        whole: whether with the names of sites and outputs about which nothing was found.
        links: beginning of addresses; None: members are not linked.
        most: only so many members, the gravest; None: all.
    """

    whole: bool = False
    links: str | None = None
    most: int | None = None


class RunReports:
    """Collects the report of a run; blocking."""

    def __init__(
        self,
        suite: Callable[[str], Suite],
        comparer: RunComparer,
        outcomes: OutcomeReader,
        trends: Trends,
    ) -> None:
        self._suite = suite
        self._comparer = comparer
        self._outcomes = outcomes
        self._trends = trends

    def of(self, status: RunStatus, asked: Extent) -> RunReport:
        """Return the report of a run as it stands. Raises SuiteNotFound."""
        side = self._comparer.side(status.run)
        names = list(side.members) if asked.most is None else self._trends.gravest_first(side)[: asked.most]
        results = [
            _result(name, outcome, side, asked) for name, outcome in self._outcomes.each(side, names, whole=asked.whole)
        ]
        since, baseline = (_compared(found) for found in _comparisons(status))
        results = _with_changes(results, since, baseline)
        results = _with_trends(results, self._trends.of(status.run, side, _telling_first(results)))
        return RunReport(
            tuple(results),
            kind="member",
            title=self._suite(status.run.suite).display_name or status.run.suite,
            name=status.run.name,
            word=verdict_of(status.run, status.counts, status.result) if status.counts else _state(status),
            facts=_facts(status, results, since, baseline),
            notes=tuple(filter(None, (status.run.reason, *status.run.notes))),
            since=_since(since),
            baseline=_since(baseline),
        )


def _result(name: str, outcome: Outcome, side: Side, asked: Extent) -> Result:
    audit = side.audit_of(name)
    waiting = outcome.reason if isinstance(outcome, NotMade) and outcome.reason in _WAITING else ""
    if waiting:
        outcome = NotMade(reason=waiting, message="its audit has not ended")
    return Result(
        name,
        _light(outcome, whole=asked.whole),
        audit=f"audits/{audit}" if audit else "",
        link="" if not audit or asked.links is None else f"{asked.links}/audits/{audit}{'' if waiting else '/report'}",
        waiting=waiting,
        is_reused=side.assigned[name].reused,
    )


def _light(outcome: Outcome, *, whole: bool) -> Outcome:
    """Return an outcome with what documents about many audits tell: thousands are in memory at a time."""
    if not isinstance(outcome, Report):
        return outcome
    execution = Execution(
        provider=outcome.execution.provider,
        runtime_version=outcome.execution.runtime_version,
        seed=outcome.execution.seed,
        replicates=outcome.execution.replicates,
        seconds=outcome.execution.seconds,
        artifacts=outcome.execution.artifacts,
    )
    findings = tuple(msgspec.structs.replace(each, evidence={}) for each in outcome.findings[:_MOST_FINDINGS])
    sites = tuple(type(each)(name=each.name, path=each.path) for each in outcome.sites[:_MOST_NAMES])
    outputs = tuple(
        type(each)(name=each.name, shape=(), scale_factor=None, zero_fraction=0.0)
        for each in outcome.outputs[:_MOST_NAMES]
    )
    return Report(
        verdict=outcome.verdict,
        summary=outcome.summary,
        findings=findings,
        sites=sites if whole else (),
        outputs=outputs if whole else (),
        execution=execution,
        shortened=outcome.shortened,
    )


_Compared = tuple[pb.Comparison, dict[str, MemberChange]] | None


def _comparisons(status: RunStatus) -> tuple[dict[str, object] | None, dict[str, object] | None]:
    return (status.result.comparison, status.result.baseline) if status.result else (None, None)


def _compared(found: dict[str, object] | None) -> _Compared:
    if found is None:
        return None
    message = comparison(found)
    return message, {each.member: each for each in member_changes(message)}


def _since(compared: _Compared) -> Since | None:
    if compared is None or not compared[0].base:
        return None
    message, changes = compared
    removed = tuple(each for each in changes.values() if each.kind is Kind.REMOVED)
    return Since(message.base, Status(pb.Comparison.Status.Name(message.status)), removed, tuple(message.shortened))


def _with_changes(results: Iterable[Result], since: _Compared, baseline: _Compared) -> list[Result]:
    before, pinned = (compared[1] if compared else {} for compared in (since, baseline))
    return [replace(each, change=before.get(each.name), since_baseline=pinned.get(each.name)) for each in results]


def _with_trends(results: Iterable[Result], trends: Mapping[str, Trend]) -> list[Result]:
    return [replace(each, history=trends[each.name].history, series=trends[each.name].series) for each in results]


def _telling_first(results: Iterable[Result]) -> list[str]:
    """Return names: what changed comes first, and of the rest the gravest."""
    return [each.name for each in sorted(results, key=lambda each: (each.change is None, gravity(each.word)))]


def _state(status: RunStatus) -> str:
    return pb.Run.State.Name(state_of(status.run, status.counts))


def _facts(
    status: RunStatus, results: Sequence[Result], since: _Compared, baseline: _Compared
) -> tuple[tuple[str, str], ...]:
    run, counts = status.run, status.counts
    ended = counts.end_time if counts else None
    versions = sorted({_runtime(each) for each in results} - {""})
    found = (
        ("Run", run.name),
        ("State", _state(status)),
        ("Trigger", run.trigger.value.lower()),
        ("Asked for by", run.caller),
        ("Due", _instant(run.due_time)),
        ("Begun", _instant(run.create_time)),
        ("Ended", _instant(ended)),
        ("Took", f"{max(0.0, ended - run.create_time):,.0f} s" if ended else ""),
        ("Reports of earlier runs", f"{counts.reused:,} of {counts.total:,}" if counts else ""),
        ("Compared with", since[0].base if since else ""),
        ("Baseline", baseline[0].base if baseline else ""),
        ("Runtime", ", ".join(versions)),
    )
    return tuple((label, told) for label, told in found if told)


def _runtime(result: Result) -> str:
    return result.outcome.execution.runtime_version if isinstance(result.outcome, Report) else ""


def _instant(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
