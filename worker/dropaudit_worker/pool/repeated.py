"""A step of the worker that does something again and again, on the worker's own timer.

Not in a thread: none may exist when the pool forks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import bootsteps


class RepeatedStep(bootsteps.StartStopStep):
    """Calls what `start` asks for until the worker stops. It comes before the pool forks its first child."""

    requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timers: list[Any] = []

    def repeat(self, parent: Any, seconds: float, do: Callable[[], object]) -> None:
        """Have something done every so many seconds."""
        self._timers.append(parent.timer.call_repeatedly(seconds, do, priority=10))

    def stop(self, parent: Any) -> None:
        """Do it no more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
