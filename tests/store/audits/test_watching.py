"""Claims about following audits: nothing is lost or told twice, and many watchers cost one reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import redis.asyncio

from dropaudit.plan import Phase, Plan, Progress
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.audits.watching import EventHub
from dropaudit_store.errors import AuditNotFound, StoreUnavailable
from dropaudit_store.records import ArtifactRef, AuditRequest, Spec
from dropaudit_store.redis.connection import connect_async

REPORT = {"verdict": "PASS", "summary": "s"}
REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    waiting = connect_async(redis_url)
    yield waiting
    await waiting.aclose()


@pytest.fixture
def hub(client: redis.asyncio.Redis) -> EventHub:
    return EventHub(client)


@pytest.fixture
def lease(store: AuditStore) -> Lease:
    found = store.claim(store.create(REQUEST).id, 30.0)
    assert found is not None
    return found


def go_on(store: AuditStore, lease: Lease, steps: int) -> None:
    for number in range(steps):
        store.progress(lease, Progress(phase=Phase.SAMPLING, replicates=number))


async def sequences(hub: EventHub, audit_id: str, after: int = 0) -> list[int]:
    return [event.sequence async for event in hub.follow(audit_id, after)]


async def watched_by(hub: EventHub, count: int) -> None:
    """Wait until so many watch and the reader reads for them."""
    async with asyncio.timeout(10):
        while hub.watchers != count:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.5)


async def test_watchers_that_come_at_any_time_hear_everything_once_in_order(
    hub: EventHub, store: AuditStore, lease: Lease
) -> None:
    watchers = []
    for number in range(20):
        watchers.append(asyncio.create_task(sequences(hub, lease.audit_id, after=number)))
        await asyncio.to_thread(go_on, store, lease, 5)
        await asyncio.sleep(0.02 * (number % 3))
    await asyncio.to_thread(store.succeed, lease, REPORT)
    # Two states, 100 steps of progress, and the end.
    for number, heard in enumerate(await asyncio.gather(*watchers)):
        assert heard == list(range(number + 1, 104))
    assert hub.watchers == 0


async def test_who_lags_behind_misses_nothing(hub: EventHub, store: AuditStore, lease: Lease) -> None:
    following = hub.follow(lease.audit_id)
    heard = [(await anext(following)).sequence for _ in range(2)]
    slow = asyncio.ensure_future(following.__anext__())
    await watched_by(hub, 1)
    await asyncio.to_thread(go_on, store, lease, 700)
    heard.append((await slow).sequence)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(store.succeed, lease, REPORT)
    heard += [event.sequence async for event in following]
    assert heard == list(range(1, 704))


class Counting(EventHub):
    """Counts what is read."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        super().__init__(client)
        self.reads = 0

    async def _after(self, audit_id: str, last: int) -> Any:
        self.reads += 1
        return await super()._after(audit_id, last)


async def test_two_hundred_watchers_share_one_reader(
    client: redis.asyncio.Redis, store: AuditStore, lease: Lease
) -> None:
    hub = Counting(client)
    watchers = [asyncio.create_task(sequences(hub, lease.audit_id)) for _ in range(200)]
    await watched_by(hub, 200)
    await asyncio.to_thread(go_on, store, lease, 50)
    await asyncio.to_thread(store.succeed, lease, REPORT)
    assert await asyncio.gather(*watchers) == [list(range(1, 54))] * 200
    # Each looks once at what was there before; what happens then is read for all.
    assert hub.reads == 200


async def test_a_number_that_is_still_to_come_keeps_nobody_waiting(
    hub: EventHub, store: AuditStore, lease: Lease
) -> None:
    watcher = asyncio.create_task(sequences(hub, lease.audit_id, after=4_000_000_000))
    await watched_by(hub, 1)
    await asyncio.to_thread(store.succeed, lease, REPORT)
    assert await asyncio.wait_for(watcher, 5) == [3]


async def test_closing_ends_every_watch_and_those_to_come(hub: EventHub, lease: Lease) -> None:
    watcher = asyncio.create_task(sequences(hub, lease.audit_id))
    await watched_by(hub, 1)
    await hub.close(StoreUnavailable("closed"))
    with pytest.raises(StoreUnavailable, match="closed"):
        await watcher
    with pytest.raises(StoreUnavailable, match="closed"):
        await sequences(hub, lease.audit_id)
    assert hub.watchers == 0


async def test_what_has_finished_needs_no_reader(hub: EventHub, store: AuditStore, lease: Lease) -> None:
    store.succeed(lease, REPORT)
    assert await sequences(hub, lease.audit_id, after=1) == [2, 3]
    assert await sequences(hub, lease.audit_id, after=3) == []


async def test_an_audit_that_is_deleted_ends_its_watches_and_those_to_come(
    hub: EventHub, store: AuditStore, lease: Lease
) -> None:
    watches = [asyncio.create_task(sequences(hub, lease.audit_id, after=2)) for _ in range(3)]
    other = store.claim(store.create(REQUEST).id, 60.0)
    assert other is not None
    going_on = asyncio.create_task(sequences(hub, other.audit_id))
    await asyncio.sleep(0.05)
    store.stopped(lease)
    store.delete(lease.audit_id)
    async with asyncio.timeout(2):
        # Each may hear the end before it hears that all is gone.
        heard = await asyncio.gather(*watches, return_exceptions=True)
        assert all(each == [3] or isinstance(each, AuditNotFound) for each in heard)
        with pytest.raises(AuditNotFound):
            await sequences(hub, lease.audit_id)
        store.stopped(other)
        assert await going_on == [1, 2, 3]


async def test_a_new_watch_waits_for_no_other_to_hear_something(hub: EventHub, store: AuditStore, lease: Lease) -> None:
    waiting = asyncio.create_task(sequences(hub, lease.audit_id, after=2))
    await asyncio.sleep(0.1)
    for _ in range(5):
        other = store.claim(store.create(REQUEST).id, 60.0)
        assert other is not None
        watch = asyncio.create_task(sequences(hub, other.audit_id))
        await asyncio.sleep(0.05)
        # One read waits for two seconds; the event must come before that.
        async with asyncio.timeout(1):
            store.stopped(other)
            assert await watch == [1, 2, 3]
    store.stopped(lease)
    assert await waiting == [3]
