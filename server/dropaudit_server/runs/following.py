"""Follows a run: how far it is as messages, the last one with the run."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.responses import timestamp
from dropaudit_server.runs import responses
from dropaudit_server.runs.handlers import RunHandlers
from dropaudit_store.runs.watching import RunHub

_ENDED = (pb.Run.FINISHED, pb.Run.CANCELLED)


class RunFollower:
    """Follows runs."""

    def __init__(self, handlers: RunHandlers, hub: RunHub, wake_ups: WakeUps) -> None:
        self._handlers = handlers
        self._hub = hub
        self._wake_ups = wake_ups

    async def follow(self, suite_id: str, run_id: str) -> AsyncIterator[pb.RunEvent]:
        """Yield how far a run is, whenever that has changed, and at last the run.

        Raises:
            RunNotFound: there is no such run, or it is deleted meanwhile.
            ServerStopping: the server stops.
        """
        told = False
        async for change in self._hub.follow(suite_id, run_id):
            concluded = change.concluded
            found = await change.once(partial(self._message, suite_id, run_id, concluded))
            if found.state in _ENDED and not concluded and not told:
                # Somebody waits: a worker compares it at once, and not when it looks for what has ended.
                told = True
                self._wake_ups.ended_run(found.name)
            kind = "run" if concluded else "progress"
            yield pb.RunEvent(time=timestamp(time.time()), **{kind: found})

    def _message(self, suite_id: str, run_id: str, whole: bool) -> pb.Run:
        return responses.run(self._handlers.get(suite_id, run_id, whole=whole), whole=whole)
