"""Content that nothing refers to any more goes away, and never while something does.

Who stores content holds it first: the hold outlasts the time until its reference is written, and once it is over the
content is looked at, in case no reference came. Who removes content hides it, looks again, and brings it back when it
is held or referred to by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import redis
import structlog

from dropaudit_store.errors import InvalidDigest, redis_errors
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.disk_reserve import ANY_ROOM, Room

_HOLD_SECONDS = 600
_GARBAGE = key("garbage")
_ASKED = key("cleaning")

_log = structlog.get_logger(__name__)


class Removes(Protocol):
    """Removes content unless it is needed after all, and says whether it did."""

    def remove(self, sha256: str, is_needed: Callable[[], bool]) -> bool: ...


class Garbage:
    """Content that nothing refers to.

    Args:
        room: what the disk under Redis must have for what is to refer to content.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time, room: Room = ANY_ROOM) -> None:
        self._redis = client
        self._clock = clock
        self._room = room

    def hold(self, sha256: str) -> None:
        """Keep content for as long as it takes to refer to it. Raises StorageFull."""
        self._room.require()
        with redis_errors(), self._redis.pipeline() as pipe:
            pipe.set(_hold(sha256), "held", ex=_HOLD_SECONDS)
            pipe.zadd(_GARBAGE, {sha256: self._clock() + _HOLD_SECONDS})
            pipe.execute()

    def is_noted(self) -> bool:
        """Whether there is something to look at."""
        with redis_errors():
            return bool(self._redis.zcount(_GARBAGE, "-inf", self._clock()))

    def ask(self, seconds: int) -> bool:
        """Ask for a collection; False when one was asked for within so many seconds."""
        with redis_errors():
            return bool(self._redis.set(_ASKED, "asked", nx=True, ex=seconds))

    def asked(self) -> None:
        """Note that whoever was asked to collect has begun."""
        with redis_errors():
            self._redis.delete(_ASKED)

    def collect(self, blobs: Removes, limit: int = 100) -> list[str]:
        """Remove what nothing needs, and return the digests."""
        with redis_errors():
            noted = texts(self._redis.zrangebyscore(_GARBAGE, "-inf", self._clock(), start=0, num=limit))
        return [sha256 for sha256 in noted if self._collected(blobs, sha256)]

    def _collected(self, blobs: Removes, sha256: str) -> bool:
        with redis_errors():
            # Before it is removed: what is noted meanwhile must stay noted.
            self._redis.zrem(_GARBAGE, sha256)
            if self._redis.exists(key("refs", sha256)):
                return False
            try:
                removed = not self._is_needed(sha256) and blobs.remove(sha256, lambda: self._is_needed(sha256))
            except InvalidDigest:
                _log.warning("something that is not a digest was noted as garbage; it is forgotten", noted=sha256[:80])
                return False
            if not removed:
                # Held: look again, since nothing may come to refer to it.
                self._redis.zadd(_GARBAGE, {sha256: self._clock() + _HOLD_SECONDS})
        return removed

    def _is_needed(self, sha256: str) -> bool:
        with redis_errors():
            return bool(self._redis.exists(key("refs", sha256), _hold(sha256)))


def _hold(sha256: str) -> str:
    return key("hold", sha256)
