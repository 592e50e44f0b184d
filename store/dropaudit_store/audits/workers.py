"""Workers that run, as each of them notes of itself: nobody can ask them, since they do not listen."""

from __future__ import annotations

from typing import cast

import msgspec
import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.redis.connection import key

_WORKERS = key("workers")


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU and its memory, in bytes; `name` is the same for whoever sees it."""

    name: str
    used: int
    total: int


class WorkerNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A worker that runs.

    Attributes:
        slots: audits that it makes at a time.
        until: by Redis's clock, the instant from which it is gone unless it has noted itself again.
    """

    slots: int
    gpus: tuple[Gpu, ...] = ()
    until: float = 0.0


class Workers:
    """Notes of workers, each under a name of its own."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def note(self, worker: str, note: WorkerNote, seconds: float) -> None:
        """Note a worker for so many seconds, and forget those that are gone."""
        now = self._now()
        kept = msgspec.structs.replace(note, until=now + seconds)
        gone = [name for name, each in self._all().items() if each.until < now]
        with redis_errors(), self._redis.pipeline() as pipe:
            pipe.hset(_WORKERS, worker, msgspec.json.encode(kept).decode())
            if gone:
                pipe.hdel(_WORKERS, *gone)
            pipe.execute()

    def forget(self, worker: str) -> None:
        """Forget a worker that ends."""
        with redis_errors():
            self._redis.hdel(_WORKERS, worker)

    def running(self) -> list[WorkerNote]:
        """Return the workers that run."""
        now = self._now()
        return [each for each in self._all().values() if each.until >= now]

    def _all(self) -> dict[str, WorkerNote]:
        with redis_errors():
            found = cast(dict[str, str], self._redis.hgetall(_WORKERS))
        return {name: msgspec.json.decode(each, type=WorkerNote) for name, each in found.items()}

    def _now(self) -> float:
        with redis_errors():
            seconds, microseconds = self._redis.time()
        return seconds + microseconds / 1e6
