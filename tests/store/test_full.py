"""Claims about a Redis that is at its memory limit: a real one, with room for little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from dropaudit.plan import Phase, Plan, Progress
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.errors import StorageFull
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Failure, Spec
from dropaudit_store.redis.connection import connect
from support.services import redis_server

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan(seed=7)))
REPORT = {"verdict": "PASS", "summary": "s"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("full")) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    with connect(url) as client:
        client.config_set("maxmemory", "0")
        client.flushall()
        yield client


@pytest.fixture
def store(client: redis.Redis) -> AuditStore:
    return AuditStore(client)


def fill(client: redis.Redis) -> None:
    """Leave no room."""
    client.config_set("maxmemory", "1kb")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        client.set("one more", "x")


def held(store: AuditStore) -> Lease:
    lease = store.claim(store.create(REQUEST).id, 30.0, "worker/message/1")
    assert lease is not None
    return lease


def test_a_new_audit_is_refused_and_nothing_of_it_is_written(store: AuditStore, client: redis.Redis) -> None:
    store.create(REQUEST)
    before = sorted(client.scan_iter())
    fill(client)
    for asked in ("", "mine"):
        with pytest.raises(StorageFull, match="memory"):
            store.create(REQUEST, asked)
    assert sorted(client.scan_iter()) == before
    client.config_set("maxmemory", "0")
    assert store.create(REQUEST, "mine").state is AuditState.QUEUED


def test_what_was_accepted_before_comes_to_its_end(store: AuditStore, client: redis.Redis) -> None:
    waiting = store.create(REQUEST).id
    lease, failing, stopping = (held(store) for _ in range(3))
    fill(client)
    assert store.extend(lease, 30.0)
    assert store.keep(lease.audit_id, "worker/", 30.0)
    store.succeed(lease, REPORT)
    store.fail(failing, Failure(reason="INVALID_MODEL", message="m"))
    store.cancel(stopping.audit_id)
    store.stopped(stopping)
    assert store.claim(waiting, 30.0) is not None
    found = [store.get(each.audit_id) for each in (lease, failing, stopping)]
    assert [each.state for each in found] == [AuditState.SUCCEEDED, AuditState.FAILED, AuditState.CANCELLED]
    assert found[0].report == REPORT


def test_a_worker_that_is_lost_or_leaves_gives_its_audit_to_another(store: AuditStore, client: redis.Redis) -> None:
    lost, left = held(store), held(store)
    fill(client)
    assert store.lose(lost.audit_id, "worker/", "signal 9", max_attempts=3) is AuditState.QUEUED
    assert store.give_back(left) is AuditState.QUEUED


def test_deleting_makes_room(store: AuditStore, client: redis.Redis) -> None:
    lease = held(store)
    store.succeed(lease, REPORT)
    fill(client)
    store.delete(lease.audit_id)
    assert client.exists(f"dropaudit:audit:{lease.audit_id}") == 0


def test_progress_is_refused_whole(store: AuditStore, client: redis.Redis) -> None:
    lease = held(store)
    before = client.xlen(f"dropaudit:events:{lease.audit_id}")
    fill(client)
    with pytest.raises(StorageFull):
        store.progress(lease, Progress(phase=Phase.SAMPLING))
    assert client.xlen(f"dropaudit:events:{lease.audit_id}") == before
    assert client.hget(f"dropaudit:audit:{lease.audit_id}", "seq") == str(before)
