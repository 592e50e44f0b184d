"""Claims about notes of workers."""

from __future__ import annotations

import redis

from dropaudit_store.audits.workers import Gpu, WorkerNote, Workers

GPU = Gpu(name="GPU-1", used=2, total=80)


def test_workers_that_note_themselves_run(redis_client: redis.Redis) -> None:
    workers = Workers(redis_client)
    workers.note("a", WorkerNote(slots=2), 60.0)
    workers.note("b", WorkerNote(slots=1, gpus=(GPU,)), 60.0)
    workers.note("a", WorkerNote(slots=3), 60.0)
    assert sorted((each.slots, each.gpus) for each in workers.running()) == [(1, (GPU,)), (3, ())]


def test_who_has_said_nothing_for_too_long_is_gone_and_forgotten(redis_client: redis.Redis) -> None:
    workers = Workers(redis_client)
    workers.note("gone", WorkerNote(slots=2), -1.0)
    assert workers.running() == []
    workers.note("here", WorkerNote(slots=1), 60.0)
    assert redis_client.hkeys("dropaudit:workers") == ["here"]


def test_who_ends_is_gone_at_once(redis_client: redis.Redis) -> None:
    workers = Workers(redis_client)
    workers.note("a", WorkerNote(slots=2), 60.0)
    workers.forget("a")
    assert workers.running() == []


def test_a_note_of_a_later_version_is_read(redis_client: redis.Redis) -> None:
    redis_client.hset("dropaudit:workers", "later", '{"slots": 4, "until": 99999999999.0, "new": [1]}')
    assert [each.slots for each in Workers(redis_client).running()] == [4]
