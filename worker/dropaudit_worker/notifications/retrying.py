"""When a notification is sent again, and when it is given up: a function of its attempts."""

from __future__ import annotations

from dataclasses import dataclass

from dropaudit_worker.notifications.posting import Attempt, Dead, Delivered

MOST_ATTEMPTS = 12
_FIRST_SECONDS = 10.0
_LONGEST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Done:
    """The receiver took it."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It is a dead letter, until it is sent again by hand."""


@dataclass(frozen=True, slots=True)
class Again:
    """It is sent again after `seconds`."""

    seconds: float


Step = Done | GivenUp | Again


def next_step(attempt: Attempt, attempts: int, chance: float) -> Step:
    """Return what becomes of a notification after an attempt.

    Args:
        attempt: how the last one ended.
        attempts: how many there were, this one included.
        chance: a number in [0, 1), drawn anew each time.
    """
    match attempt:
        case Delivered():
            return Done()
        case Dead():
            return GivenUp()
    if attempts >= MOST_ATTEMPTS:
        return GivenUp()
    return Again(max(backoff(attempts, chance), attempt.after))


def backoff(attempts: int, chance: float) -> float:
    """Return how long to wait before another attempt: twice as long each time, up to an hour, with half of it random.

    The chance keeps receivers that were away together from being called together ("equal jitter", Brooker, Exponential
    backoff and jitter, 2015). Twelve attempts take two to three hours.
    """
    whole = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(attempts - 1, 20))
    return whole * (1 + chance) / 2
