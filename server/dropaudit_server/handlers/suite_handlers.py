"""Handlers of the calls about suites. They work on records and block, so they run in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

from dropaudit_server.handlers.tensor_store import TensorStore
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.requests.suite_changes import SuiteChange
from dropaudit_server.requests.suite_requests import RequestedSuite
from dropaudit_store.audits.ids import member
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.reader import Standing
from dropaudit_store.models import ModelStore
from dropaudit_store.records import AuditState, Run, Suite
from dropaudit_store.suites import SuiteStore

# A run with its audits as they stand; those that were deleted, or have expired, are missing.
RunStatus = tuple[Run, Mapping[str, Standing]]
# Audits that a page of runs looks at, whatever its size.
_MOST_LOOKED_AT = 30_000


class SuiteHandlers:
    """Suites and runs, over the store. Raises the store's errors."""

    def __init__(
        self,
        suites: SuiteStore,
        audits: AuditStore,
        models: ModelStore,
        tensors: TensorStore,
        wake_ups: WakeUps,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._suites = suites
        self._audits = audits
        self._models = models
        self._tensors = tensors
        self._wake_ups = wake_ups
        self._clock = clock

    def create(self, asked: RequestedSuite) -> Suite:
        """Store a suite; a worker takes up its schedule. Raises SuiteExists and ModelNotFound."""
        self._require_models(asked.models)
        suite = self._suites.create(asked.stored(self._tensors.put, self._clock()))
        if suite.cron:
            self._wake_ups.suite(suite.id)
        return suite

    def get(self, suite_id: str) -> Suite:
        """Return a suite. Raises SuiteNotFound."""
        return self._suites.get(suite_id)

    def page(self, count: int, cursor: str) -> tuple[list[Suite], str]:
        """Return a page of suites, newest first, and the cursor of the next."""
        return self._suites.page(count, cursor)

    def update(self, change: SuiteChange) -> Suite:
        """Change a suite; a worker takes up its schedule. Raises SuiteNotFound, ModelNotFound and Conflict."""
        before = self._suites.get(change.id)
        self._require_models(change.models)
        after = self._suites.replace(before, change.applied(before, self._tensors.put, self._clock()))
        if (before.cron, before.paused) != (after.cron, after.paused):
            self._wake_ups.suite(after.id)
        return after

    def delete(self, suite_id: str) -> None:
        """Delete a suite; a worker removes its schedule. Raises SuiteNotFound and Conflict."""
        self._suites.delete(suite_id)
        self._wake_ups.suite(suite_id)

    def run(self, suite_id: str, request_id: str) -> RunStatus:
        """Turn a suite into audits. Raises SuiteNotFound, QueueFull and RunTooLarge."""
        provider = self._suites.get(suite_id).plan.provider
        _, audits = status = self._status(self._suites.run_now(suite_id, request_id))
        waiting = (audit_id for audit_id, each in audits.items() if each.state is AuditState.QUEUED)
        self._wake_ups.batch(waiting, provider)
        return status

    def get_run(self, suite_id: str, run_id: str) -> RunStatus:
        """Return a run. Raises RunNotFound."""
        return self._status(self._suites.get_run(suite_id, run_id))

    def runs(self, suite_id: str, count: int, cursor: str, *, whole: bool) -> tuple[list[RunStatus], str]:
        """Return a page of runs, newest first, and the cursor of the next. Raises SuiteNotFound.

        Args:
            whole: whether with their audits' summaries.
        """
        runs, following = self._suites.runs(suite_id, count, cursor)
        statuses: list[RunStatus] = []
        looked_at = 0
        for run in runs:
            looked_at += len(run.audits)
            if statuses and looked_at > _MOST_LOOKED_AT:
                last = statuses[-1][0]
                return statuses, member(last.create_time, last.id)
            statuses.append(self._status(run, summaries=whole))
        return statuses, following

    def _status(self, run: Run, *, summaries: bool = True) -> RunStatus:
        return run, self._audits.read.standings(run.audits, summaries=summaries)

    def _require_models(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._models.get(digest)
