"""What is known of stored models."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable

import msgspec
import redis

from dropaudit_store.connection import key, texts
from dropaudit_store.errors import ModelNotFound, redis_errors
from dropaudit_store.records import ModelRecord

_MODELS = key("models")


class ModelStore:
    """Models in Redis; their content is in the blob store under the same SHA-256."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._clock = clock

    def add(self, sha256: str, size: int, display_name: str) -> ModelRecord:
        """Note a model; one that is known already stays as it was first noted, but for a name that it did not have."""
        record = ModelRecord(sha256=sha256, size=size, display_name=display_name, create_time=self._clock())
        with redis_errors(), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(key("model", sha256), msgspec.json.encode(record), nx=True)
            pipe.zadd(_MODELS, {sha256: record.create_time}, nx=True)
            pipe.execute()
        known = self.get(sha256)
        if known.display_name or not display_name:
            return known
        named = msgspec.structs.replace(known, display_name=display_name)
        with redis_errors():
            self._redis.set(key("model", sha256), msgspec.json.encode(named))
        return named

    def get(self, sha256: str) -> ModelRecord:
        """Return what is known of a model. Raises ModelNotFound."""
        with redis_errors():
            found = self._redis.get(key("model", sha256))
        if found is None:
            raise ModelNotFound(f"models/{sha256}")
        return msgspec.json.decode(found, type=ModelRecord)

    def matching(self, pattern: str) -> list[ModelRecord]:
        """Return the models whose display name matches a shell pattern, oldest first."""
        with redis_errors():
            every = texts(self._redis.zrange(_MODELS, 0, -1))
        records = [self.get(sha256) for sha256 in every]
        return [record for record in records if fnmatch.fnmatchcase(record.display_name, pattern)]
