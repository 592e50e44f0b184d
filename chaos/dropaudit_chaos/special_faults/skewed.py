"""`python -m dropaudit_chaos.special_faults.skewed SECONDS MODULE …`: runs a module whose clock is wrong by so much."""

from __future__ import annotations

import datetime
import runpy
import sys
import time
from typing import Self


class Skewed(datetime.datetime):
    """Instants of a clock that Python can be told."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        """Return what the clock says."""
        return cls.fromtimestamp(time.time(), tz)


def skew(seconds: float) -> None:
    """Let everything in this process, and in what it forks, read a clock that is `seconds` ahead."""
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + int(seconds * 1e9)
    datetime.datetime = Skewed  # type: ignore[misc]  # a class with the same instances


def main() -> None:
    """Skew the clock and run."""
    skew(float(sys.argv[1]))
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
