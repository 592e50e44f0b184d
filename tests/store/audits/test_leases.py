"""Claims about whose clock a lease, an end and an expiry go by: that of Redis."""

from __future__ import annotations

import time

import pytest
import redis

from dropaudit.plan import Phase, Plan, Progress
from dropaudit_store.audits.lifecycle import AuditStore, Limits, _script
from dropaudit_store.errors import LeaseLost
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Spec

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))


def test_clocks_that_differ_by_more_than_a_lease_lose_no_audit(redis_client: redis.Redis) -> None:
    slow = AuditStore(redis_client, lambda: time.time() - 600)
    fast = AuditStore(redis_client, lambda: time.time() + 600)
    audit_id = fast.create(REQUEST).id
    lease = slow.claim(audit_id, 30.0)
    assert lease is not None
    for _ in range(3):
        assert slow.extend(lease, 30.0)
        assert slow.keep(audit_id, "", 30.0)
        assert fast.release_expired(max_attempts=3) == []
    slow.stopped(lease)
    found = fast.get(audit_id)
    assert (found.state, found.attempts) == (AuditState.CANCELLED, 1)


def test_a_lease_ends_by_the_clock_of_redis(redis_client: redis.Redis) -> None:
    store = AuditStore(redis_client)
    audit_id = store.create(REQUEST).id
    lease = store.claim(audit_id, 0.05)
    assert lease is not None
    assert store.get(audit_id).start_time == pytest.approx(time.time(), abs=5.0)
    time.sleep(0.1)
    assert store.release_expired(max_attempts=3) == [audit_id]
    with pytest.raises(LeaseLost):
        store.stopped(lease)
    assert store.take_unannounced(0.0) == [audit_id]
    assert store.take_unannounced(60.0) == []


def test_an_audit_expires_by_the_clock_of_redis(redis_client: redis.Redis) -> None:
    store = AuditStore(redis_client, limits=Limits(retention_seconds=0.05))
    audit_id = store.create(REQUEST).id
    store.cancel(audit_id)
    found = store.get(audit_id)
    assert found.end_time is not None
    assert found.expire_time == pytest.approx(found.end_time + 0.05, abs=1e-3)
    time.sleep(0.1)
    assert store.delete_expired() == 1


def test_of_two_leases_with_one_token_that_of_the_holder_counts(redis_client: redis.Redis, redis_url: str) -> None:
    """A replica that takes the place of its master may know nothing of a claim: the next one gets its token."""
    store = AuditStore(redis_client)
    audit_id = store.create(REQUEST).id
    with redis.Redis.from_url(redis_url) as raw:
        before = {name: raw.dump(name) for name in raw.scan_iter()}
        first = store.claim(audit_id, 30.0)
        raw.flushdb()
        for name, content in before.items():
            raw.restore(name, 0, content)
    second = store.claim(audit_id, 30.0)
    assert first is not None
    assert second is not None
    assert first.token == second.token
    with pytest.raises(LeaseLost):
        store.extend(first, 30.0)
    with pytest.raises(LeaseLost):
        store.progress(first, Progress(phase=Phase.SAMPLING))
    with pytest.raises(LeaseLost):
        store.give_back(first)
    with pytest.raises(LeaseLost):
        store.stopped(first)
    assert store.extend(second, 30.0)
    store.stopped(second)
    assert store.get(audit_id).state is AuditState.CANCELLED


def test_a_lease_without_a_holder_as_workers_of_an_earlier_version_send_it_counts(redis_client: redis.Redis) -> None:
    store = AuditStore(redis_client)
    audit_id = store.create(REQUEST).id
    lease = store.claim(audit_id, 30.0)
    assert lease is not None
    assert redis_client.register_script(_script("extend"))(args=[audit_id, lease.token, "+30"]) == "kept"


def test_a_worker_of_an_earlier_version_that_brings_its_own_instants_is_understood(redis_client: redis.Redis) -> None:
    earlier, later = AuditStore(redis_client, instants=time.time), AuditStore(redis_client)
    audit_id = earlier.create(REQUEST).id
    lease = earlier.claim(audit_id, 30.0, "worker/1")
    assert lease is not None
    assert later.release_expired(max_attempts=3) == []
    assert later.keep(audit_id, "worker/", 30.0)
    assert earlier.extend(lease, 30.0)
    earlier.stopped(lease)
    assert later.get(audit_id).state is AuditState.CANCELLED
