"""The verdict of a run."""

from __future__ import annotations

from collections.abc import Iterable

from dropaudit.report import Verdict
from dropaudit_store.records import AuditState, Run, RunPhase
from dropaudit_store.runs.records import RunCounts, RunResult

_GRAVITY = (Verdict.PASS, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.FAIL)


def gravest(verdicts: Iterable[str]) -> str:
    """Return the gravest of verdicts; of none INCONCLUSIVE: nothing was looked at."""
    return max(map(Verdict, verdicts), key=_GRAVITY.index, default=Verdict.INCONCLUSIVE).value


def verdict_of(run: Run, counts: RunCounts, result: RunResult | None) -> str:
    """Return the verdict of a run; empty until it has ended, and until it is known what accepted findings make of it.

    An audit that failed or was cancelled counts as FAIL.
    """
    if result is not None:
        return result.verdict
    if counts.end_time is None or run.accepts or run.phase is RunPhase.SKIPPED:
        return ""
    return counted_verdict(counts)


def counted_verdict(counts: RunCounts) -> str:
    """Return the gravest verdict of a run's audits, as their reports say themselves."""
    not_made = counts.states[AuditState.FAILED] + counts.states[AuditState.CANCELLED]
    found = [verdict for verdict, number in counts.verdicts.items() if number > 0]
    return gravest([*found, *([Verdict.FAIL] if not_made else [])])
