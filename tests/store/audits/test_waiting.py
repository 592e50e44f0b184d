"""Claims about the age of the queue."""

from __future__ import annotations

import redis

from dropaudit.plan import Plan
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.waiting import oldest_waiting
from dropaudit_store.records import ArtifactRef, AuditRequest, Spec
from support.clock import Clock

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))


def test_nothing_that_waits_has_no_age(redis_client: redis.Redis) -> None:
    assert oldest_waiting(redis_client) is None


def test_the_oldest_audit_that_waits_counts(store: AuditStore, redis_client: redis.Redis, clock: Clock) -> None:
    first, began = store.create(REQUEST).id, clock.now
    clock.now += 5
    store.create(REQUEST)
    assert oldest_waiting(redis_client) == began
    assert store.claim(first, 30.0) is not None
    assert oldest_waiting(redis_client) == began + 5


def test_an_audit_that_is_queued_again_is_as_old_as_before(
    store: AuditStore, redis_client: redis.Redis, clock: Clock
) -> None:
    first, began = store.create(REQUEST).id, clock.now
    clock.now += 5
    store.create(REQUEST)
    assert store.claim(first, 30.0) is not None
    clock.now += 60
    assert store.release_expired(3) == [first]
    assert oldest_waiting(redis_client) == began
