"""Records of stored models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import cast

import msgspec
import redis

from dropaudit.shortening import cut
from dropaudit_store.audits import page_index as ordered
from dropaudit_store.audits.ids import member, name_in
from dropaudit_store.errors import InUse, ModelNotFound, redis_errors
from dropaudit_store.records import ModelRecord
from dropaudit_store.redis import scripts
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.shared.byte_limits import NAME_BYTES

_MODELS = key("models")
_AT_A_TIME = 1000


class ModelStore:
    """Models in Redis; their content is in the blob store under the same SHA-256."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._clock = clock
        self._add = client.register_script(scripts.ADD_MODEL)
        self._delete = client.register_script(scripts.DELETE_MODEL)

    def add(self, sha256: str, size: int, display_name: str) -> ModelRecord:
        """Note a model; one that is known already stays as it was first noted, but for a name that it did not have."""
        record = ModelRecord(sha256=sha256, size=size, display_name=display_name, create_time=self._clock())
        with redis_errors():
            self._add(args=[sha256, msgspec.json.encode(record), member(record.create_time, sha256)])
        known = self.get(sha256)
        if known.display_name or not display_name:
            return known
        named = msgspec.structs.replace(known, display_name=display_name)
        with redis_errors():
            # XX: a model that was deleted in between must not come back.
            self._redis.set(key("model", sha256), msgspec.json.encode(named), xx=True)
        return named

    def get(self, sha256: str) -> ModelRecord:
        """Return what is known of a model. Raises ModelNotFound."""
        found = self._found([sha256])
        if not found:
            raise ModelNotFound(f"models/{sha256}")
        return found[0]

    def page(self, count: int, cursor: str = "") -> tuple[list[ModelRecord], str]:
        """Return `count` models that follow a cursor, newest first, and the cursor of the next; empty at the end."""
        members = ordered.read(self._redis, _MODELS, count + 1, after=cursor)
        following = members[count - 1] if len(members) > count else ""
        return self._found(map(name_in, members[:count])), following

    def delete(self, sha256: str) -> None:
        """Forget a model; its content goes once nothing refers to it. Raises ModelNotFound and InUse."""
        known = self.get(sha256)
        with redis_errors():
            users = texts(self._delete(args=[sha256, member(known.create_time, sha256), self._clock()]))
        if users:
            raise InUse(f"models/{sha256}", sorted(users))

    def every(self) -> list[ModelRecord]:
        """Return all models, oldest first."""
        with redis_errors():
            every = texts(self._redis.zrange(_MODELS, 0, -1))
        return [
            record
            for batch in (every[at : at + _AT_A_TIME] for at in range(0, len(every), _AT_A_TIME))
            for record in self._found(map(name_in, batch))
        ]

    def _found(self, digests: Iterable[str]) -> list[ModelRecord]:
        """Return what is known of those models that are stored."""
        keys = [key("model", sha256) for sha256 in digests]
        with redis_errors():
            found = cast(list[str | None], self._redis.mget(keys)) if keys else []
        return [_record(each) for each in found if each is not None]


def _record(content: str) -> ModelRecord:
    """Read what is known of a model. A name that an earlier version stored may be of any size."""
    found = msgspec.json.decode(content, type=ModelRecord)
    return msgspec.structs.replace(found, display_name=cut(found.display_name, NAME_BYTES))
