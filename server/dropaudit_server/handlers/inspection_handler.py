"""Asks a worker for a model's sites and waits for the answer."""

from __future__ import annotations

import asyncio

from dropaudit.errors import AuditError, InvalidModel
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.stopping import Stopping
from dropaudit_store.content.inspections import Inspection, Inspections
from dropaudit_store.models import ModelStore
from dropaudit_store.records import Failure

_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.02, 0.25


class NotInspected(AuditError):
    """No worker has answered in time."""

    reason = "NOT_INSPECTED"

    def __init__(self, sha256: str, seconds: float) -> None:
        super().__init__(
            f"no worker has inspected models/{sha256} within {seconds:g} s; try again, and look whether workers run",
            model=f"models/{sha256}",
        )


class InspectionFailed(AuditError):
    """A worker could not inspect a model."""

    reason = "INSPECTION_FAILED"

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, cause=failure.reason)


class Inspector:
    """Models' sites, found by workers.

    Args:
        seconds: how long an answer is waited for, unless the caller's deadline comes before.
    """

    def __init__(
        self, models: ModelStore, inspections: Inspections, wake_ups: WakeUps, stopping: Stopping, seconds: float
    ) -> None:
        self._models = models
        self._inspections = inspections
        self._wake_ups = wake_ups
        self._stopping = stopping
        self._seconds = seconds

    async def sites(self, sha256: str) -> Inspection:
        """Return the sites of a model.

        Raises:
            ModelNotFound: there is no such model.
            InvalidModel: the content is not a model.
            InspectionFailed: a worker could not look at it.
            NotInspected: no worker has answered in time.
            InspectionsFull: too many models wait for a worker.
            ServerStopping: the server stops.
        """
        await asyncio.to_thread(self._models.get, sha256)
        found = await asyncio.to_thread(self._inspections.get, sha256)
        if found is None:
            # However many ask, and whether or not they wait for the answer, there is one message for a model.
            if await asyncio.to_thread(self._inspections.ask, sha256, 2 * self._seconds):
                self._wake_ups.inspection(sha256, 2 * self._seconds)
            found = await self._answer(sha256)
        return _successful(found)

    async def _answer(self, sha256: str) -> Inspection:
        loop = asyncio.get_running_loop()
        end, pause = loop.time() + self._seconds, _FIRST_LOOK_SECONDS
        while loop.time() < end:
            await self._stopping.sleep(pause)
            found = await asyncio.to_thread(self._inspections.get, sha256)
            if found is not None:
                return found
            pause = min(2 * pause, _LONGEST_LOOK_SECONDS)
        raise NotInspected(sha256, self._seconds)


def _successful(found: Inspection) -> Inspection:
    if found.failure is None:
        return found
    if found.failure.reason == InvalidModel.reason:
        raise InvalidModel(found.failure.message)
    raise InspectionFailed(found.failure)
