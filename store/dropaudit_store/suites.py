"""Suites."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import cast

import msgspec
import redis
import structlog

from dropaudit_store.audits import page_index as ordered
from dropaudit_store.audits.ids import member, name_in
from dropaudit_store.audits.terms import models_of, tensors_of
from dropaudit_store.errors import (
    Conflict,
    ModelNotFound,
    RecordTooLarge,
    RecordTooNew,
    SuiteExists,
    SuiteNotFound,
    redis_errors,
)
from dropaudit_store.records import ArtifactRef, PairRef, RecordedRef, SubjectRef, Suite
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.disk_reserve import ANY_ROOM, Room
from dropaudit_store.redis.scripts import script
from dropaudit_store.shared.byte_limits import SUITE_BYTES
from dropaudit_store.shared.formats import changed_record, read_record, write_record

_SUITES = key("suites")
_SCHEDULED, _INDEXED = key("scheduled"), key("scheduled-indexed")
_ETAG_DIGITS = 16

_log = structlog.get_logger(__name__)


def etag_of(suite: Suite) -> str:
    """Return what changes with every change of a suite."""
    return hashlib.sha256(_body(suite).encode()).hexdigest()[:_ETAG_DIGITS]


class SuiteStore:
    """Suites in Redis.

    Args:
        room: what the disk under Redis must have for a new or another suite.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time, room: Room = ANY_ROOM) -> None:
        self._redis = client
        self._clock = clock
        self._room = room
        self._put = client.register_script(script("models/put_suite"))

    def now(self) -> float:
        """Return the store's time, in seconds since the epoch."""
        return self._clock()

    def create(self, suite: Suite) -> Suite:
        """Store a suite. Raises SuiteExists, ModelNotFound and RecordTooLarge."""
        self._room.require()
        if not self._replaced(suite.id, None, suite):
            raise SuiteExists(suite.id)
        return suite

    def replace(self, before: Suite, after: Suite) -> Suite:
        """Put a suite in the place of another of its name.

        Raises:
            Conflict: it is not as it was.
            ModelNotFound: a model that it names is not stored.
            RecordTooLarge: it takes more than is kept of one suite.
        """
        self._room.require()
        if not self._replaced(before.id, before, after):
            raise Conflict(f"suites/{before.id}")
        return after

    def delete(self, suite_id: str) -> None:
        """Delete a suite; its runs are deleted apart. Raises SuiteNotFound and Conflict."""
        self.remove(self.get(suite_id))

    def remove(self, before: Suite) -> None:
        """Delete a suite that is still as it was. Raises Conflict."""
        if not self._replaced(before.id, before, None):
            raise Conflict(f"suites/{before.id}")

    def _replaced(self, suite_id: str, before: Suite | None, after: Suite | None) -> bool:
        stored = self._stored(suite_id, before)
        if stored is None:
            return False
        known = before or after
        place = member(known.create_time, suite_id) if known else ""
        released, referred = _content(before), _content(after)
        required = _models(after) - _models(before)
        lists = ("\n".join(sorted(each)) for each in (released - referred, referred - released, required))
        scheduled = int(after is not None and after.cron != "")
        with redis_errors():
            # In the same step as the look at the models: who deletes one at the same time comes before or after.
            outcome = self._put(
                args=[suite_id, self._clock(), place, stored, _limited(stored, before, after), *lists, scheduled]
            )
        if isinstance(outcome, str):
            raise ModelNotFound(f"models/{outcome}")
        return bool(outcome)

    def _stored(self, suite_id: str, suite: Suite | None) -> str | None:
        """Return a suite as it is stored, with what only a newer version knows; None where it is another by now."""
        if suite is None:
            return ""
        with redis_errors():
            found = str(self._redis.get(key("suite", suite_id)) or "")
        return found if found and _read(found) == suite else None

    def get(self, suite_id: str) -> Suite:
        """Return a suite. Raises SuiteNotFound."""
        found = self._found([suite_id])
        if not found:
            raise SuiteNotFound(f"suites/{suite_id}")
        return found[0]

    def page(self, count: int, cursor: str = "") -> tuple[list[Suite], str]:
        """Return `count` suites that follow a cursor, newest first, and the cursor of the next; empty at the end."""
        members = ordered.read(self._redis, _SUITES, count + 1, after=cursor)
        following = members[count - 1] if len(members) > count else ""
        return self._found(map(name_in, members[:count])), following

    def every(self) -> list[Suite]:
        """Return all suites, oldest first."""
        with redis_errors():
            members = texts(self._redis.zrange(_SUITES, 0, -1))
        return self._found(map(name_in, members))

    def scheduled(self) -> list[Suite]:
        """Return the suites that have a schedule which is not paused."""
        self._index_older()
        with redis_errors():
            ids = sorted(texts(self._redis.smembers(_SCHEDULED)))
        return [each for each in self._known(ids) if each.cron and not each.paused]

    def _index_older(self) -> None:
        """Index the suites that an earlier version stored, once for all."""
        with redis_errors():
            if self._redis.exists(_INDEXED):
                return
        ids = [each.id for each in self.every() if each.cron]
        with redis_errors(), self._redis.pipeline() as pipe:
            if ids:
                pipe.sadd(_SCHEDULED, *ids)
            pipe.set(_INDEXED, "indexed")
            pipe.execute()

    def _known(self, suite_ids: Iterable[str]) -> list[Suite]:
        """Return the suites that this version knows: a newer one runs the others."""
        found = []
        for suite_id in suite_ids:
            try:
                found += self._found([suite_id])
            except RecordTooNew as error:
                _log.warning("a suite is left to workers of a newer version", suite=suite_id, why=error.message)
        return found

    def _found(self, suite_ids: Iterable[str]) -> list[Suite]:
        keys = [key("suite", suite_id) for suite_id in suite_ids]
        with redis_errors():
            found = cast(list[str | None], self._redis.mget(keys)) if keys else []
        return [_read(each) for each in found if each is not None]


def _content(suite: Suite | None) -> set[str]:
    """Return the SHA-256 of each model and of all tensors that a suite names."""
    if suite is None:
        return set()
    inputs = {each.inputs.sha256 for each in suite.overrides if each.inputs}
    fixed = _fixed(suite)
    return inputs | {sha256 for each in fixed for sha256 in (*models_of(each), *tensors_of(each))}


def _models(suite: Suite | None) -> set[str]:
    """Return the SHA-256 of each model that a suite names."""
    return {sha256 for each in _fixed(suite) for sha256 in models_of(each)} if suite else set()


def _fixed(suite: Suite) -> list[SubjectRef]:
    return [each for each in suite.members if isinstance(each, ArtifactRef | PairRef | RecordedRef)]


def _body(suite: Suite) -> str:
    return msgspec.json.encode(suite, order="deterministic").decode()


def _read(stored: str) -> Suite:
    return read_record(stored, Suite, "a suite")


def _limited(stored: str, before: Suite | None, after: Suite | None) -> str:
    """Return a suite as it is to be stored in the place of another. Raises RecordTooLarge."""
    if after is None:
        return ""
    body = write_record(after) if before is None else changed_record(stored, before, after)
    if len(body.encode()) > SUITE_BYTES:
        raise RecordTooLarge("a suite", len(body.encode()), SUITE_BYTES)
    return body
