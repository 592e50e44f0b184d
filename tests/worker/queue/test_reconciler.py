"""Claims about finding what got lost."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
import redis
from kombu.exceptions import OperationalError

from dropaudit.plan import Plan
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.models import ModelStore
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Glob, Spec, Suite
from dropaudit_store.redis.connection import connect
from dropaudit_store.suites import SuiteStore
from dropaudit_worker.queue.reconciler import Reconciler, SendsMessages, Sync
from support.clock import Clock

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))


class Heard:
    """Remembers who was woken and which suites were synchronised."""

    def __init__(self) -> None:
        self.audits: list[str] = []
        self.suites: list[list[Suite]] = []
        self.waiting = 0

    def wake(self, audit_id: str) -> None:
        self.audits.append(audit_id)

    def count(self) -> int:
        return self.waiting

    def sync(self, suites: Iterable[Suite]) -> None:
        self.suites.append(list(suites))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def reconciler(
    client: redis.Redis,
    store: AuditStore,
    suites: SuiteStore,
    messages: SendsMessages,
    sync: Sync,
    seconds: float = 0.001,
) -> Reconciler:
    return Reconciler(
        client, store, suites, messages, sync, lambda: None, seconds=seconds, announce_seconds=10.0, max_attempts=2
    )


@pytest.fixture
def looking(redis_client: redis.Redis, store: AuditStore, suites: SuiteStore, heard: Heard) -> Reconciler:
    """One that may look again at once."""
    return reconciler(redis_client, store, suites, heard, heard.sync)


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


def test_one_looks_at_a_time_though_it_takes_long(
    redis_client: redis.Redis, store: AuditStore, suites: SuiteStore, heard: Heard
) -> None:
    def sync(_: Iterable[Suite]) -> None:
        reconciler(redis_client, store, suites, heard, heard.sync).look()

    reconciler(redis_client, store, suites, heard, sync).look()
    assert heard.suites == []


def test_every_suite_s_schedule_is_synchronised(looking: Reconciler, suites: SuiteStore, heard: Heard) -> None:
    suite = Suite(id="s", members=(Glob(pattern="*"),), plan=Plan(), cron="* * * * *", create_time=1, update_time=1)
    suites.create(suite)
    looking.look()
    assert heard.suites == [[suite]]


def test_of_several_workers_one_looks(
    redis_client: redis.Redis, store: AuditStore, suites: SuiteStore, heard: Heard
) -> None:
    for _ in range(3):
        reconciler(redis_client, store, suites, heard, heard.sync, seconds=60.0).look()
    assert len(heard.suites) == 1


def test_a_redis_that_is_gone_ends_no_worker(heard: Heard) -> None:
    gone = connect("redis://127.0.0.1:1/0")
    store = AuditStore(gone)
    reconciler(gone, store, SuiteStore(gone, store, ModelStore(gone)), heard, heard.sync).look()
    assert heard.suites == []


@pytest.mark.parametrize("error", [OperationalError("no broker"), redis.ConnectionError("no Redis")])
def test_a_broker_that_goes_while_it_looks_ends_no_worker(
    redis_client: redis.Redis, store: AuditStore, suites: SuiteStore, error: Exception
) -> None:
    def sync(_: Iterable[Suite]) -> None:
        raise error

    reconciler(redis_client, store, suites, Heard(), sync).look()
