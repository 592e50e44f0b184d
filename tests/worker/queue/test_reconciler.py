"""Claims about finding what got lost."""

from __future__ import annotations

import pytest
import redis
from kombu.exceptions import OperationalError

from dropaudit.plan import Plan
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Spec
from dropaudit_store.redis.connection import connect
from dropaudit_worker.queue.reconciler import KeepRuns, Reconciler, SendsMessages
from support.clock import Clock

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))


class Heard:
    """Remembers who was woken, and how often runs were looked for."""

    def __init__(self) -> None:
        self.audits: list[str] = []
        self.looks = 0
        self.waiting = 0

    def wake(self, audit_id: str) -> None:
        self.audits.append(audit_id)

    def count(self) -> int:
        return self.waiting

    def keep_runs(self) -> None:
        self.looks += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


def reconciler(
    client: redis.Redis, store: AuditStore, messages: SendsMessages, keep_runs: KeepRuns, seconds: float = 0.001
) -> Reconciler:
    return Reconciler(
        client, store, messages, keep_runs, lambda: None, seconds=seconds, announce_seconds=10.0, max_attempts=2
    )


@pytest.fixture
def looking(redis_client: redis.Redis, store: AuditStore, heard: Heard) -> Reconciler:
    """One that may look again at once."""
    return reconciler(redis_client, store, heard, heard.keep_runs)


def test_an_audit_whose_worker_is_gone_is_queued_and_announced(
    looking: Reconciler, store: AuditStore, heard: Heard, clock: Clock, redis_client: redis.Redis
) -> None:
    audit_id = store.create(REQUEST).id
    store.claim(audit_id, 30.0)
    looking.look()
    assert heard.audits == []
    clock.now += 31.0
    look_again(looking, redis_client)
    assert heard.audits == [audit_id]
    assert store.get(audit_id).state is AuditState.QUEUED


def look_again(looking: Reconciler, client: redis.Redis) -> None:
    """Look without waiting for the lock of the last look to run out."""
    client.delete("dropaudit:reconciler")
    looking.look()


def test_an_audit_that_loses_every_worker_fails_and_is_not_announced(
    looking: Reconciler, store: AuditStore, heard: Heard, clock: Clock, redis_client: redis.Redis
) -> None:
    audit_id = store.create(REQUEST).id
    for _ in range(2):
        store.claim(audit_id, 30.0)
        clock.now += 31.0
        look_again(looking, redis_client)
    assert heard.audits == [audit_id]
    failure = store.get(audit_id).failure
    assert failure is not None
    assert failure.reason == "WORKER_LOST"


def test_an_audit_that_nobody_was_told_of_is_announced_once_it_is_old(
    looking: Reconciler, store: AuditStore, heard: Heard, clock: Clock, redis_client: redis.Redis
) -> None:
    audit_id = store.create(REQUEST).id
    clock.now += 9.0
    looking.look()
    assert heard.audits == []
    clock.now += 2.0
    look_again(looking, redis_client)
    look_again(looking, redis_client)
    assert heard.audits == [audit_id]


def test_what_waits_its_turn_is_not_announced_again(
    looking: Reconciler, store: AuditStore, heard: Heard, clock: Clock, redis_client: redis.Redis
) -> None:
    first, second = (store.create(REQUEST).id for _ in range(2))
    heard.waiting = 2
    clock.now += 11.0
    looking.look()
    assert heard.audits == []
    # One of the two messages is lost: the older audit is told of, and one is enough.
    heard.waiting = 1
    look_again(looking, redis_client)
    assert heard.audits == [first]
    heard.waiting = 0
    clock.now += 1.0
    look_again(looking, redis_client)
    assert heard.audits == [first, second]


def test_one_looks_at_a_time_though_it_takes_long(redis_client: redis.Redis, store: AuditStore, heard: Heard) -> None:
    def keep_runs() -> None:
        reconciler(redis_client, store, heard, heard.keep_runs).look()

    reconciler(redis_client, store, heard, keep_runs).look()
    assert heard.looks == 0


def test_runs_that_got_stuck_are_looked_for(looking: Reconciler, heard: Heard) -> None:
    looking.look()
    assert heard.looks == 1


def test_of_several_workers_one_looks(redis_client: redis.Redis, store: AuditStore, heard: Heard) -> None:
    for _ in range(3):
        reconciler(redis_client, store, heard, heard.keep_runs, seconds=60.0).look()
    assert heard.looks == 1


def test_a_redis_that_is_gone_ends_no_worker(heard: Heard) -> None:
    gone = connect("redis://127.0.0.1:1/0")
    store = AuditStore(gone)
    reconciler(gone, store, heard, heard.keep_runs).look()
    assert heard.looks == 0


@pytest.mark.parametrize("error", [OperationalError("no broker"), redis.ConnectionError("no Redis")])
def test_a_broker_that_goes_while_it_looks_ends_no_worker(
    redis_client: redis.Redis, store: AuditStore, error: Exception
) -> None:
    def keep_runs() -> None:
        raise error

    reconciler(redis_client, store, Heard(), keep_runs).look()
