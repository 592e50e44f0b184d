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
from dropaudit_store.naming.records import LIMITS, ModelVersion
from dropaudit_store.records import ModelRecord
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.scripts import script
from dropaudit_store.shared.byte_limits import NAME_BYTES
from dropaudit_store.shared.formats import changed_record, read_record, write_record

_MODELS = key("models")
_ADOPTED = key("names-adopted")
_AT_A_TIME = 1000


class ModelStore:
    """Models in Redis; their content is in the blob store under the same SHA-256."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._clock = clock
        self._adopted = False
        self._add = client.register_script(script("models/add", **LIMITS))
        self._delete = client.register_script(script("models/delete", **LIMITS))

    def add(self, sha256: str, size: int, display_name: str, uploader: str = "") -> ModelRecord:
        """Note a model; one that is known already stays as it was first noted, but for a name that it did not have.

        With a display name, the content becomes the newest version of it, unless it is that already.

        Args:
            uploader: who brings it; empty where nobody has a name.
        """
        self.adopt()
        record = ModelRecord(sha256=sha256, size=size, display_name=display_name, create_time=self._clock())
        known = self._noted(record, display_name, uploader)
        if known.display_name or not display_name:
            return known
        named = msgspec.structs.replace(known, display_name=display_name)
        with redis_errors():
            # XX: a model that was deleted in between must not come back.
            stored = str(self._redis.get(key("model", sha256)) or write_record(known))
            self._redis.set(key("model", sha256), changed_record(stored, known, named), xx=True)
        return named

    def adopt(self) -> None:
        """Make the models of an earlier version, which have no more than a display name, versions of it, oldest first.

        It is done once for all; whoever does it at the same time does no harm.
        """
        if self._adopted:
            return
        with redis_errors():
            self._adopted = bool(self._redis.exists(_ADOPTED))
        if self._adopted:
            return
        for record in self.every():
            if record.display_name and not self._is_version(record.sha256, record.display_name):
                self._noted(record, record.display_name, "")
        with redis_errors():
            self._adopted = bool(self._redis.set(_ADOPTED, "adopted"))

    def _is_version(self, sha256: str, name: str) -> bool:
        with redis_errors():
            return bool(self._redis.sismember(key("names-of", sha256), name))

    def _noted(self, record: ModelRecord, name: str, uploader: str) -> ModelRecord:
        version = ModelVersion(
            display_name=name,
            version=0,
            sha256=record.sha256,
            size=record.size,
            create_time=record.create_time,
            uploader=uploader,
        )
        body, named = map(write_record, (record, version))
        place = member(record.create_time, record.sha256)
        with redis_errors():
            return _record(str(self._add(args=[record.sha256, body, place, name, named])))

    def get(self, sha256: str) -> ModelRecord:
        """Return what is known of a model. Raises ModelNotFound."""
        found = self._found([sha256])
        if not found:
            raise ModelNotFound(f"models/{sha256}")
        return found[0]

    def find(self, digests: Iterable[str]) -> list[ModelRecord]:
        """Return what is known of those models that are stored."""
        return self._found(digests)

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
    found = read_record(content, ModelRecord, "a model")
    return msgspec.structs.replace(found, display_name=cut(found.display_name, NAME_BYTES))
