"""The output of the test, and its failures."""

from __future__ import annotations

import time
from collections.abc import Callable


def require(holds: object, sentence: str) -> None:
    """Raise AssertionError with a sentence unless something holds."""
    if not holds:
        raise AssertionError(sentence)


def say(sentence: str) -> None:
    """Tell what was found."""
    print(f"compose-test: {sentence}", flush=True)


def eventually(holds: Callable[[], object], sentence: str, seconds: float) -> None:
    """Wait until a callable returns something true. Raises AssertionError with a sentence when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        require(time.monotonic() < deadline, sentence)
        time.sleep(0.5)
