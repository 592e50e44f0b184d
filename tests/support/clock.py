"""Time as a test turns it, or cannot."""

from __future__ import annotations

import time


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class RealTime(Clock):
    """The time of a server, which a test cannot turn."""

    def __call__(self) -> float:
        return time.time()
