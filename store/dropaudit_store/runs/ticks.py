"""When the schedule was looked at last: a beat that is gone, or a tick that no worker takes, shows by its age."""

from __future__ import annotations

import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.redis.connection import key

_TICKED = key("ticked")


def note_tick(client: redis.Redis, now: float) -> None:
    """Note that a worker has looked at what is due."""
    with redis_errors():
        client.set(_TICKED, f"{now:.3f}")


def last_tick(client: redis.Redis) -> float | None:
    """Return when a worker looked last, in seconds since the epoch; None before the first time."""
    with redis_errors():
        found = client.get(_TICKED)
    return float(str(found)) if found else None
