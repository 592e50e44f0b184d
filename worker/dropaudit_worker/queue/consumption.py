"""Whether a worker takes work. One that still answers may have stopped to do so (celery/celery#10205)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from celery.worker.state import active_requests

from dropaudit_store.shared.heartbeat_file import HeartbeatFile
from dropaudit_worker.pool.repeated import RepeatedStep

BEAT_SECONDS = 5.0
# An idle worker asks every second.
_LONGEST_SILENCE_SECONDS = 10.0


class Consumption:
    """When this process last asked Redis for a message."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked = clock()

    def note(self) -> None:
        """Note that it asks now."""
        self._asked = self._clock()

    def goes_on(self, busy: int, children: int) -> bool:
        """Whether it takes work, or has as much as it can do."""
        return busy >= children or self._clock() - self._asked <= _LONGEST_SILENCE_SECONDS


def beating(consumption: Consumption, file: HeartbeatFile) -> type[RepeatedStep]:
    """Return the step that touches a file from the worker's own timer, for as long as work is taken."""

    class Beating(RepeatedStep):
        def start(self, parent: Any) -> None:
            def look() -> None:
                if consumption.goes_on(len(active_requests), parent.concurrency):
                    file.beat()

            self.repeat(parent, BEAT_SECONDS, look)

    return Beating
