"""The calls about runs, in records; blocking, so they run in a thread."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_store.audits.ids import member
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.reader import Standing
from dropaudit_store.errors import QueueFull, RunTooLarge
from dropaudit_store.members.outside import has_outside
from dropaudit_store.records import Run, RunPhase, RunTrigger, Suite
from dropaudit_store.runs.comparing import RunComparer
from dropaudit_store.runs.making import RunMaker
from dropaudit_store.runs.records import Assigned, RunCounts, RunMember, RunResult
from dropaudit_store.runs.store import Begin, RunStore
from dropaudit_store.suites import SuiteStore

# Audits that a page of runs looks at, whatever its size.
_MOST_LOOKED_AT = 30_000
_CANCELLED = "somebody cancelled it"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run as it stands.

    Attributes:
        counts: None of a run that was skipped, or that an earlier version made.
        members, assigned: what it consists of, and the audit of each; empty where they were not asked for.
        audits: how audits stand, by id; those that were deleted, or have expired, are missing.
    """

    run: Run
    counts: RunCounts | None
    result: RunResult | None = None
    members: Sequence[RunMember] = ()
    assigned: Mapping[int, Assigned] = field(default_factory=dict)
    audits: Mapping[str, Standing] = field(default_factory=dict)


class RunHandlers:
    """Runs, over the store. Raises the store's errors."""

    def __init__(
        self,
        suites: SuiteStore,
        runs: RunStore,
        maker: RunMaker,
        comparer: RunComparer,
        audits: AuditStore,
        wake_ups: WakeUps,
    ) -> None:
        self._comparer = comparer
        self._suites = suites
        self._runs = runs
        self._maker = maker
        self._audits = audits
        self._wake_ups = wake_ups

    def start(self, suite_id: str, request_id: str, caller: str, *, always_audit: bool, trace: str = "") -> RunStatus:
        """Turn a suite into audits: at once, or by a worker where it must look outside the store.

        Raises:
            SuiteNotFound: there is no such suite.
            QueueFull, RunTooLarge: nothing was begun.
        """
        suite = self._suites.get(suite_id)
        seed = f"{suite_id}/{request_id}" if request_id else uuid.uuid4().hex
        run_id = uuid.uuid5(uuid.NAMESPACE_OID, seed).hex
        begin = Begin(run_id, RunTrigger.MANUAL, caller=caller, always_audit=always_audit, trace=trace)
        run = self._runs.begin(suite, begin)
        if run.phase is RunPhase.RESOLVING:
            self._go_on(suite, run)
        return self.get(suite_id, run_id)

    def _go_on(self, suite: Suite, run: Run) -> None:
        if has_outside(suite):
            self._wake_ups.run(run.name)
            return
        try:
            self._maker.make(run.suite, run.id, too_large=True)
        except (QueueFull, RunTooLarge):
            if self._runs.read.assigned(run.name):
                # A worker makes the rest once there is room.
                return
            self._runs.delete(run)
            raise

    def get(self, suite_id: str, run_id: str, *, whole: bool = True) -> RunStatus:
        """Return a run. Raises RunNotFound."""
        run = self._runs.read.get(suite_id, run_id)
        (counts,) = self._runs.read.counts([run.name])
        return self._status(run, counts, self._runs.read.result(run.name), whole=whole, summaries=whole)

    def cancel(self, suite_id: str, run_id: str) -> RunStatus:
        """Cancel a run that has not finished. Raises RunNotFound."""
        run = self._maker.cancel(suite_id, run_id, _CANCELLED)
        if run.audits:
            self._maker.cancel_audits(run)
        return self.get(suite_id, run_id)

    def compare(self, suite_id: str, run_id: str, base: str) -> dict[str, object]:
        """Return what changed from one run to another, as a Comparison in its JSON form. Raises RunNotFound.

        Args:
            base: the earlier run; empty: the one before.
        """
        run = self._runs.read.get(suite_id, run_id)
        before = self._runs.read.get(suite_id, base) if base else self._runs.read.before(run)
        after = self._comparer.side(run)
        return self._comparer.compare(after, self._comparer.side(before) if before else None)[1]

    def page(self, suite_id: str, count: int, cursor: str, *, whole: bool) -> tuple[list[RunStatus], str]:
        """Return a page of runs, newest first, and the cursor of the next. Raises SuiteNotFound.

        Args:
            whole: whether with their audits.
        """
        self._suites.get(suite_id)
        runs, following = self._runs.read.page(suite_id, count, cursor)
        names = [run.name for run in runs]
        known = zip(runs, self._runs.read.counts(names), self._runs.read.results(names), strict=True)
        statuses: list[RunStatus] = []
        looked_at = 0
        for run, counts, result in known:
            looked_at += max(len(run.audits), counts.total if counts and whole else 0)
            if statuses and looked_at > _MOST_LOOKED_AT:
                last = statuses[-1].run
                return statuses, member(last.create_time, last.id)
            statuses.append(self._status(run, counts, result, whole=whole, summaries=whole))
        return statuses, following

    def _status(
        self, run: Run, counts: RunCounts | None, result: RunResult | None, *, whole: bool, summaries: bool
    ) -> RunStatus:
        if run.audits:
            # An earlier version counted nothing.
            return RunStatus(run, None, result, audits=self._audits.read.standings(run.audits, summaries=summaries))
        if not whole:
            return RunStatus(run, counts, result)
        members, assigned = self._runs.read.members(run.name), self._runs.read.assigned(run.name)
        ids = [each.audit for each in assigned.values() if each.audit]
        audits = self._audits.read.standings(ids, summaries=summaries)
        return RunStatus(run, counts, result, members, assigned, audits)
