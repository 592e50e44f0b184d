"""Inspections: the sites that workers found in stored models."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec
import redis

from dropaudit.shortening import cut, shortened_list
from dropaudit_store.errors import InspectionsFull, redis_errors
from dropaudit_store.records import Failure
from dropaudit_store.redis.connection import key
from dropaudit_store.redis.disk_reserve import ANY_ROOM, Room
from dropaudit_store.redis.scripts import script
from dropaudit_store.shared.byte_limits import FAILURE_BYTES, INSPECTION_BYTES

_KEPT_SECONDS = 86_400
# Retried soon: what failed for want of memory, or in a worker of another version, may not fail twice.
_FAILURE_KEPT_SECONDS = 10


class Inspection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sites of a model, each the JSON form of the message Site, or why there are none."""

    sites: tuple[dict[str, Any], ...] = ()
    failure: Failure | None = None
    shortened: tuple[str, ...] = ()


_ASKED = key("inspecting")


class Inspections:
    """Inspections in Redis, for a while: a worker makes one again when it is asked.

    Args:
        most: models that may wait to be inspected at a time.
        room: what the disk under Redis must have for asking.
    """

    def __init__(
        self,
        client: redis.Redis,
        clock: Callable[[], float] = time.time,
        most: int = 100,
        room: Room = ANY_ROOM,
    ) -> None:
        self._redis = client
        self._clock = clock
        self._most = most
        self._room = room
        self._ask = client.register_script(script("models/ask_inspection"))

    def ask(self, sha256: str, seconds: float) -> bool:
        """Note that a model waits to be inspected; False when it is noted already, for as many seconds.

        Raises:
            InspectionsFull: too many models wait.
            StorageFull: the disk under Redis is almost full.
        """
        self._room.require()
        now = self._clock()
        with redis_errors():
            outcome = self._ask(args=[sha256, now, now + seconds, self._most])
        if outcome == "full":
            raise InspectionsFull(self._most)
        return bool(outcome == "asked")

    def get(self, sha256: str) -> Inspection | None:
        """Return what was found; None when the model has not been inspected."""
        with redis_errors():
            found = self._redis.get(key("sites", sha256))
        return None if found is None else msgspec.json.decode(found, type=Inspection)

    def put(self, sha256: str, inspection: Inspection) -> None:
        """Keep what was found, as far as it is not too much."""
        seconds = _FAILURE_KEPT_SECONDS if inspection.failure else _KEPT_SECONDS
        with redis_errors(), self._redis.pipeline() as pipe:
            pipe.set(key("sites", sha256), msgspec.json.encode(_limited(inspection)), ex=seconds)
            pipe.zrem(_ASKED, sha256)
            pipe.execute()


def _limited(inspection: Inspection) -> Inspection:
    if inspection.failure is not None:
        failure = inspection.failure
        return Inspection(failure=Failure(reason=failure.reason, message=cut(failure.message, FAILURE_BYTES)))
    sites, said = shortened_list(list(inspection.sites), "sites", INSPECTION_BYTES)
    return Inspection(sites=tuple(sites), shortened=tuple(said))
