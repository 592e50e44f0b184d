"""Concludes a run that has ended: judges it, compares it, and writes whom to tell, in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import redis
import structlog

from dropaudit.acceptance import AcceptedFinding
from dropaudit.changes import RunChange, triggers_of
from dropaudit.report import Verdict, from_json
from dropaudit_store.audits.reader import AuditReader
from dropaudit_store.audits.terms import finding_term
from dropaudit_store.errors import RunNotFound, StoreError, SuiteNotFound, redis_errors
from dropaudit_store.notifications.deliveries import Delivery, DeliveryStore, new_delivery, words_of
from dropaudit_store.records import AuditState, Run, RunPhase, Suite
from dropaudit_store.redis.connection import key
from dropaudit_store.runs.accepting import accepted_of, judged, verdict_of
from dropaudit_store.runs.comparing import RunComparer
from dropaudit_store.runs.outcomes import Side
from dropaudit_store.runs.records import Assigned, MemberVerdict, RunCounts, RunMember, RunResult
from dropaudit_store.runs.store import RunStore
from dropaudit_store.runs.verdicts import counted_verdict, gravest

_AT_A_TIME = 50

_log = structlog.get_logger(__name__)


class Concluder:
    """Concludes runs. A run that is concluded stays as it is, however often it is asked for.

    Args:
        suite: returns a suite; raises SuiteNotFound.
    """

    def __init__(
        self,
        client: redis.Redis,
        runs: RunStore,
        suite: Callable[[str], Suite],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._redis = client
        self._runs = runs
        self._suite = suite
        self._clock = clock
        self._audits = AuditReader(client)
        self._comparer = RunComparer(client)
        self._deliveries = DeliveryStore(client, clock)

    def conclude(self, suite_id: str, run_id: str) -> bool:
        """Conclude a run that has ended; False where it has not, or somebody else has concluded it."""
        try:
            run = self._runs.read.get(suite_id, run_id)
        except RunNotFound:
            self._runs.forget_ended(f"suites/{suite_id}/runs/{run_id}")
            return False
        (counts,) = self._runs.read.counts([run.name])
        if counts is None or self._runs.read.result(run.name) is not None:
            self._runs.forget_ended(run.name)
            return False
        if counts.end_time is None:
            return False
        suite = self._found(suite_id)
        result, change = self._result(run, suite, counts)
        told = list(self._told(run, suite, change)) if suite and change else []
        done = self._runs.conclude(run, result, map(words_of, told))
        if done and told:
            self._deliveries.trim(suite_id)
        return done

    def _found(self, suite_id: str) -> Suite | None:
        try:
            return self._suite(suite_id)
        except SuiteNotFound:
            return None

    def _result(self, run: Run, suite: Suite | None, counts: RunCounts) -> tuple[RunResult, RunChange | None]:
        """Return how a run is concluded, and what changed; None where that could not be found out."""
        verdict, verdicts = counted_verdict(counts), dict[str, MemberVerdict]()
        accepted = accepted_of(suite)
        if accepted:
            members, assigned = self._runs.read.members(run.name), self._runs.read.assigned(run.name)
            verdicts = dict(self._accepted(members, assigned, accepted))
            verdict = self._verdict(members, assigned, verdicts)
        try:
            change, comparison, baseline = self._compared(run, suite, verdicts)
        except StoreError:
            raise
        except Exception:
            # Whatever is wrong with a comparison must not keep a run from its end.
            _log.exception("a run could not be compared", run=run.name)
            return RunResult(verdict=verdict, verdicts=verdicts), None
        return RunResult(verdict=verdict, verdicts=verdicts, comparison=comparison, baseline=baseline), change

    def _accepted(
        self, members: Sequence[RunMember], assigned: Mapping[int, Assigned], accepted: Sequence[AcceptedFinding]
    ) -> Iterator[tuple[str, MemberVerdict]]:
        """Yield what accepted findings make of the reports that have such findings, by the members' index."""
        codes = {finding_term(each.code) for each in accepted}
        ids = {index: each.audit for index, each in assigned.items() if each.audit}
        indexes = [index for index, terms in self._terms(ids).items() if codes & terms]
        now = self._clock()
        for start in range(0, len(indexes), _AT_A_TIME):
            chosen = indexes[start : start + _AT_A_TIME]
            records = self._audits.find_many(ids[index] for index in chosen)
            for index in chosen:
                record = records.get(ids[index])
                if record is not None and record.report is not None:
                    report = judged(from_json(record.report), accepted, members[index].display_name, now)
                    if (kept := verdict_of(report)) is not None:
                        yield str(index), kept

    def _terms(self, audits: Mapping[int, str]) -> dict[int, set[str]]:
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for audit in audits.values():
                pipe.hget(key("audit", audit), "terms")
            return {index: set((terms or "").split("\n")) for index, terms in zip(audits, pipe.execute(), strict=True)}

    def _verdict(
        self, members: Sequence[RunMember], assigned: Mapping[int, Assigned], verdicts: Mapping[str, MemberVerdict]
    ) -> str:
        ids = [each.audit for each in assigned.values() if each.audit]
        standings = self._audits.standings(ids, summaries=False)
        found = []
        for index in range(len(members)):
            kept = verdicts.get(str(index))
            standing = standings.get(assigned.get(index, Assigned()).audit)
            made = standing is not None and standing.state is AuditState.SUCCEEDED
            found.append(kept.verdict if kept else standing.verdict if standing and made else Verdict.FAIL.value)
        return gravest(found)

    def _compared(
        self, run: Run, suite: Suite | None, verdicts: Mapping[str, MemberVerdict]
    ) -> tuple[RunChange, dict[str, object], dict[str, object] | None]:
        after = self._comparer.side(run, verdicts)
        change, comparison = self._comparer.compare(after, self._before(run))
        baseline = None
        if suite and suite.baseline and suite.baseline != run.id:
            try:
                pinned = self._comparer.side(self._runs.read.get(run.suite, suite.baseline))
                _, baseline = self._comparer.compare(after, pinned)
            except RunNotFound:
                _log.warning("the baseline is gone", suite=run.suite, run=suite.baseline)
        return change, comparison, baseline

    def _before(self, run: Run) -> Side | None:
        before = self._runs.read.before(run)
        return self._comparer.side(before) if before else None

    def _told(self, run: Run, suite: Suite, change: RunChange) -> Iterator[Delivery]:
        if run.phase is RunPhase.CANCELLED:
            return
        pulled = {each.value for each in triggers_of(change)}
        for target in suite.targets:
            if target.on.value in pulled:
                yield new_delivery(run.suite, run.name, target, self._clock())
