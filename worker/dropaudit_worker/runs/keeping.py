"""Makes runs that are stuck go on, and sends notifications that are due."""

from __future__ import annotations

from collections.abc import Callable

from dropaudit_store.notifications.deliveries import DeliveryStore
from dropaudit_store.runs.store import RunStore

# Seconds that the worker told of a run first has before another one is told.
_AGAIN_SECONDS = 15.0

Send = Callable[[str], None]


class RunKeeper:
    """Looks for runs that no worker goes on with.

    Args:
        make, end: tell a worker of a run that is to be made, or concluded, by its name.
        deliver: tells a worker that something is to be sent.
    """

    def __init__(
        self, runs: RunStore, deliveries: DeliveryStore, make: Send, end: Send, deliver: Callable[[], None]
    ) -> None:
        self._runs = runs
        self._deliveries = deliveries
        self._make = make
        self._end = end
        self._deliver = deliver

    def look(self) -> None:
        """Look once."""
        for name in self._runs.take_resolving(_AGAIN_SECONDS):
            self._make(name)
        for name in self._runs.take_ended(_AGAIN_SECONDS):
            self._end(name)
        if self._deliveries.is_due():
            self._deliver()
