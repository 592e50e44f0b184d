"""Notifications on their way: written with the end of a run, sent until received, listed, sent again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import msgspec
import redis

from dropaudit.shortening import cut
from dropaudit_store.audits import page_index as ordered
from dropaudit_store.audits.ids import member, name_in
from dropaudit_store.errors import DeliveryNotFound, redis_errors
from dropaudit_store.records import Form, NotifyOn, Target
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.scripts import script
from dropaudit_store.shared.byte_limits import NAME_BYTES
from dropaudit_store.shared.formats import changed_record, read_record, write_record

_DUE = key("deliveries-due")
# Of a suite so many are kept, the newest.
MOST_KEPT = 1000
# Seconds that a worker has to post a notification before another one may take it.
_TAKEN_SECONDS = 60.0


class DeliveryState(StrEnum):
    """PENDING until its receiver takes it, or the retries end."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A notification of a run. The secret of its receiver is not kept here: it is the suite's."""

    id: str
    suite: str
    run: str
    url: str
    on: NotifyOn
    form: Form = Form.JSON
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last_error: str = ""
    create_time: float
    attempt_time: float | None = None
    next_time: float | None = None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"suites/{self.suite}/deliveries/{self.id}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: in which state the notification is then, and when it is sent again."""

    state: DeliveryState
    said: str = ""
    again_after: float = 0.0


def new_delivery(suite: str, run: str, target: Target, now: float) -> Delivery:
    """Return a notification that is to be sent."""
    return Delivery(
        id=uuid.uuid4().hex,
        suite=suite,
        run=run,
        url=target.url,
        on=target.on,
        form=target.form,
        create_time=now,
        next_time=now,
    )


def words_of(delivery: Delivery) -> tuple[str, str, str]:
    """Return a notification as the end of a run writes it: id, record and place."""
    return delivery.id, write_record(delivery), member(delivery.create_time, delivery.id)


class DeliveryStore:
    """Notifications in Redis."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._clock = clock
        self._take = client.register_script(script("runs/take_delivery"))

    def take(self) -> Delivery | None:
        """Return a notification that is due, which no other worker gets for a minute; None when none is."""
        while True:
            now = self._clock()
            with redis_errors():
                found = self._take(keys=[_DUE], args=[now, now + _TAKEN_SECONDS])
            if not found:
                return None
            suite_id, _, delivery_id = str(found).partition("/")
            known = self._found(suite_id, [delivery_id])
            if known and known[0].state is DeliveryState.PENDING:
                return known[0]
            self._not_due(suite_id, delivery_id)

    def is_due(self) -> bool:
        """Whether one is to be sent."""
        with redis_errors():
            return bool(self._redis.zcount(_DUE, "-inf", self._clock()))

    def note(self, delivery: Delivery, ended: Ended) -> Delivery:
        """Note how an attempt ended."""
        now = self._clock()
        is_pending = ended.state is DeliveryState.PENDING
        changed = msgspec.structs.replace(
            delivery,
            state=ended.state,
            attempts=delivery.attempts + 1,
            last_error="" if ended.state is DeliveryState.DELIVERED else cut(ended.said, NAME_BYTES),
            attempt_time=now,
            next_time=now + ended.again_after if is_pending else None,
        )
        self._put(delivery, changed)
        return changed

    def again(self, suite_id: str, delivery_id: str) -> Delivery:
        """Let a notification be sent again, whatever became of it. Raises DeliveryNotFound."""
        known = self.get(suite_id, delivery_id)
        pending = msgspec.structs.replace(known, state=DeliveryState.PENDING, attempts=0, next_time=self._clock())
        self._put(known, pending)
        return pending

    def _put(self, before: Delivery, delivery: Delivery) -> None:
        place = f"{delivery.suite}/{delivery.id}"
        where = _place(delivery.suite, delivery.id)
        with redis_errors():
            stored = str(self._redis.get(where) or write_record(before))
        with redis_errors(), self._redis.pipeline() as pipe:
            # XX: one that was deleted with its suite must not come back.
            pipe.set(where, changed_record(stored, before, delivery), xx=True)
            if delivery.next_time is None:
                pipe.zrem(_DUE, place)
            else:
                pipe.zadd(_DUE, {place: delivery.next_time})
            pipe.execute()

    def _not_due(self, suite_id: str, delivery_id: str) -> None:
        with redis_errors():
            self._redis.zrem(_DUE, f"{suite_id}/{delivery_id}")

    def get(self, suite_id: str, delivery_id: str) -> Delivery:
        """Return a notification. Raises DeliveryNotFound."""
        found = self._found(suite_id, [delivery_id])
        if not found:
            raise DeliveryNotFound(f"suites/{suite_id}/deliveries/{delivery_id}")
        return found[0]

    def page(self, suite_id: str, count: int, cursor: str = "") -> tuple[list[Delivery], str]:
        """Return `count` notifications of a suite that follow a cursor, newest first, and the cursor of the next."""
        members = ordered.read(self._redis, key("deliveries", suite_id), count + 1, after=cursor)
        following = members[count - 1] if len(members) > count else ""
        return self._found(suite_id, [name_in(each) for each in members[:count]]), following

    def trim(self, suite_id: str, most: int = MOST_KEPT) -> None:
        """Forget the oldest of a suite, beyond so many."""
        with redis_errors():
            surplus = texts(self._redis.zrange(key("deliveries", suite_id), 0, -most - 1))
        self._forget(suite_id, surplus)

    def delete_all(self, suite_id: str) -> None:
        """Forget all of a suite."""
        with redis_errors():
            self._forget(suite_id, texts(self._redis.zrange(key("deliveries", suite_id), 0, -1)))

    def _forget(self, suite_id: str, members: list[str]) -> None:
        if not members:
            return
        ids = [name_in(each) for each in members]
        with redis_errors(), self._redis.pipeline() as pipe:
            pipe.delete(*(_place(suite_id, each) for each in ids))
            pipe.zrem(_DUE, *(f"{suite_id}/{each}" for each in ids))
            pipe.zrem(key("deliveries", suite_id), *members)
            pipe.execute()

    def _found(self, suite_id: str, ids: list[str]) -> list[Delivery]:
        with redis_errors():
            found = cast(list[str | None], self._redis.mget([_place(suite_id, each) for each in ids])) if ids else []
        return [read_record(each, Delivery, "a notification") for each in found if each is not None]


def _place(suite_id: str, delivery_id: str) -> str:
    return key("delivery", suite_id, delivery_id)
