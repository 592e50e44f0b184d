"""What workers found when they looked at stored models."""

from __future__ import annotations

from typing import Any

import msgspec
import redis

from dropaudit_store.connection import key
from dropaudit_store.errors import redis_errors
from dropaudit_store.records import Failure

_KEPT_SECONDS = 86_400
# Soon asked again: what failed for want of memory, or in a worker of another version, may not fail twice.
_FAILURE_KEPT_SECONDS = 10


class Inspection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The sites of a model, each the JSON form of the message Site, or why there are none."""

    sites: tuple[dict[str, Any], ...] = ()
    failure: Failure | None = None


class Inspections:
    """Inspections in Redis, for a while: a worker makes one again when it is asked."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def get(self, sha256: str) -> Inspection | None:
        """Return what was found, None when nobody has looked."""
        with redis_errors():
            found = self._redis.get(key("sites", sha256))
        return None if found is None else msgspec.json.decode(found, type=Inspection)

    def put(self, sha256: str, inspection: Inspection) -> None:
        """Keep what was found."""
        seconds = _FAILURE_KEPT_SECONDS if inspection.failure else _KEPT_SECONDS
        with redis_errors():
            self._redis.set(key("sites", sha256), msgspec.json.encode(inspection), ex=seconds)
