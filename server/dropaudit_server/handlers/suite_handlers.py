"""Handlers of the calls about suites. They work on records and block, so they run in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import msgspec

from dropaudit_server.handlers.tensor_store import TensorStore
from dropaudit_server.requests.suite_changes import SuiteChange
from dropaudit_server.requests.suite_requests import RequestedSuite
from dropaudit_store.errors import Conflict
from dropaudit_store.models import ModelStore
from dropaudit_store.notifications.deliveries import DeliveryStore
from dropaudit_store.records import Suite
from dropaudit_store.runs.making import RunMaker
from dropaudit_store.runs.pinning import Pins
from dropaudit_store.runs.store import RunStore
from dropaudit_store.suites import SuiteStore, etag_of

_DELETED = "its suite was deleted"
_SCHEDULE = ("cron", "paused", "time_zone")


class SuiteHandlers:
    """Suites, over the store. Raises the store's errors."""

    def __init__(
        self,
        suites: SuiteStore,
        runs: RunStore,
        maker: RunMaker,
        pins: Pins,
        deliveries: DeliveryStore,
        models: ModelStore,
        tensors: TensorStore,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._suites = suites
        self._runs = runs
        self._maker = maker
        self._pins = pins
        self._deliveries = deliveries
        self._models = models
        self._tensors = tensors
        self._clock = clock

    def create(self, asked: RequestedSuite) -> Suite:
        """Store a suite, or only look whether it could be. Raises SuiteExists, ModelNotFound and RecordTooLarge."""
        self._require_models(asked.models)
        if asked.validate_only:
            return asked.stored(self._tensors.describe, self._clock())
        return self._suites.create(asked.stored(self._tensors.put, self._clock()))

    def shown(self, asked: str | RequestedSuite) -> Suite:
        """Return a stored suite by its id, or one that need not be stored. Raises SuiteNotFound and ModelNotFound."""
        if isinstance(asked, str):
            return self._suites.get(asked)
        self._require_models(asked.models)
        return asked.stored(self._tensors.describe, self._clock())

    def get(self, suite_id: str) -> tuple[Suite, str]:
        """Return a suite and the id of its newest run, empty without one. Raises SuiteNotFound."""
        return self._suites.get(suite_id), self._runs.read.newest([suite_id]).get(suite_id, "")

    def page(self, count: int, cursor: str) -> tuple[list[Suite], str, Mapping[str, str]]:
        """Return a page of suites, newest first, the cursor of the next, and the newest run of each that has one."""
        suites, following = self._suites.page(count, cursor)
        return suites, following, self._runs.read.newest([suite.id for suite in suites])

    def update(self, change: SuiteChange) -> tuple[Suite, str]:
        """Change a suite. Raises SuiteNotFound, ModelNotFound, RunNotFound and Conflict."""
        before = self._suites.get(change.id)
        if change.etag and change.etag != etag_of(before):
            raise Conflict(f"suites/{before.id}")
        self._require_models(change.models)
        put = self._tensors.describe if change.validate_only else self._tensors.put
        after = self._scheduled(before, change.applied(before, put, self._clock()))
        if after.baseline and after.baseline != before.baseline:
            self._runs.read.get(after.id, after.baseline)
        if not change.validate_only:
            self._replace(before, after)
        return after, self._runs.read.newest([after.id]).get(after.id, "")

    def _scheduled(self, before: Suite, after: Suite) -> Suite:
        """Return a suite whose changed schedule counts from now: due times before that are not made up for."""
        if all(getattr(before, name) == getattr(after, name) for name in _SCHEDULE):
            return after
        return msgspec.structs.replace(after, scheduled_since=self._clock())

    def _replace(self, before: Suite, after: Suite) -> None:
        if after.baseline and after.baseline != before.baseline:
            self._pins.pin(after.id, after.baseline)
        self._suites.replace(before, after)
        if before.baseline and after.baseline != before.baseline:
            self._pins.unpin(before.id, before.baseline)

    def pause(self, suite_id: str, *, paused: bool) -> tuple[Suite, str]:
        """Pause a suite's schedule, or resume it. Raises SuiteNotFound and Conflict."""
        return self.update(SuiteChange(suite_id, {"paused": paused}, None))

    def delete(self, suite_id: str, etag: str) -> None:
        """Delete a suite and its runs; audits that have not finished are cancelled. Raises SuiteNotFound, Conflict."""
        before = self._suites.get(suite_id)
        if etag and etag != etag_of(before):
            raise Conflict(f"suites/{suite_id}")
        self._suites.remove(before)
        # Afterwards none begins any more.
        for run_id in (*self._runs.read.active(suite_id), self._runs.read.waiting(suite_id)):
            if run_id:
                self._maker.cancel(suite_id, run_id, _DELETED)
        if before.baseline:
            self._pins.unpin(suite_id, before.baseline)
        self._runs.delete_all(suite_id)
        self._deliveries.delete_all(suite_id)

    def _require_models(self, digests: Iterable[str]) -> None:
        for digest in digests:
            self._models.get(digest)
