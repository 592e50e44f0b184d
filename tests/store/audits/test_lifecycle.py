"""Claims about the state machine of audits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import redis

from dropaudit.plan import Phase, Plan, Progress
from dropaudit_store.audits.events import Finished, Progressed, StateChanged
from dropaudit_store.audits.lifecycle import WORKER_LOST, AuditStore, Lease, Limits
from dropaudit_store.audits.watching import EventHub
from dropaudit_store.errors import AuditNotFound, LeaseLost, RequestIdReused, StorageFull, StoreUnavailable
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Failure, Spec
from dropaudit_store.redis.connection import connect, connect_async
from support.audits import kinds_of_events
from support.clock import Clock

REPORT = {"verdict": "PASS", "summary": "s"}


def request(model: str = "a" * 64) -> AuditRequest:
    return AuditRequest(spec=Spec(subject=ArtifactRef(model=model), plan=Plan(seed=7)), labels={"k": "v"})


def claimed(store: AuditStore, audit_id: str) -> Lease:
    lease = store.claim(audit_id, 30.0)
    assert lease is not None
    return lease


def test_a_new_audit_is_queued_and_comes_back_as_it_was_asked(store: AuditStore) -> None:
    made = store.create(request())
    found = store.get(made.id)
    assert found == made
    assert found.state is AuditState.QUEUED
    assert found.request == request()
    assert (found.attempts, found.create_time, found.report) == (0, 1000.0, None)


def test_an_unknown_audit_is_not_found(store: AuditStore) -> None:
    with pytest.raises(AuditNotFound, match="audits/none"):
        store.get("none")


def test_fifty_equal_requests_at_once_make_one_audit(redis_url: str) -> None:
    def create(_: int) -> str:
        return AuditStore(connect(redis_url)).create(request(), "same").id

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(create, range(50)))) == 1


def test_a_request_id_belongs_to_one_request(store: AuditStore) -> None:
    store.create(request(), "mine")
    with pytest.raises(RequestIdReused, match="mine"):
        store.create(request("b" * 64), "mine")


def test_the_order_of_labels_makes_no_other_request(store: AuditStore) -> None:
    orders: list[dict[str, str]] = [{"a": "x", "b": "y"}, {"b": "y", "a": "x"}]
    asked = [msgspec.structs.replace(request(), labels=labels) for labels in orders]
    first, again = (store.create(each, "mine") for each in asked)
    assert first.id == again.id


def test_an_audit_is_claimed_once(store: AuditStore) -> None:
    audit_id = store.create(request()).id
    lease = claimed(store, audit_id)
    assert store.claim(audit_id, 30.0) is None
    assert lease.record.state is AuditState.RUNNING
    assert (lease.record.attempts, lease.record.start_time) == (1, 1000.0)


def test_what_does_not_exist_is_not_claimed(store: AuditStore) -> None:
    assert store.claim("none", 30.0) is None


def test_the_report_comes_with_the_state(store: AuditStore, clock: Clock) -> None:
    lease = claimed(store, store.create(request()).id)
    clock.now = 1010.0
    store.succeed(lease, REPORT)
    found = store.get(lease.audit_id)
    assert (found.state, found.report, found.end_time) == (AuditState.SUCCEEDED, REPORT, 1010.0)


def test_a_finished_audit_never_changes_again(store: AuditStore) -> None:
    lease = claimed(store, store.create(request()).id)
    store.fail(lease, Failure(reason="INVALID_MODEL", message="m"))
    with pytest.raises(LeaseLost):
        store.succeed(lease, REPORT)
    assert store.claim(lease.audit_id, 30.0) is None
    found = store.get(lease.audit_id)
    assert (found.state, found.report) == (AuditState.FAILED, None)


def test_an_expired_lease_is_released_and_its_holder_refused(store: AuditStore, clock: Clock) -> None:
    late = claimed(store, store.create(request()).id)
    clock.now += 29.0
    assert store.release_expired(max_attempts=3) == []
    clock.now += 2.0
    assert store.release_expired(max_attempts=3) == [late.audit_id]
    assert store.get(late.audit_id).state is AuditState.QUEUED
    fresh = claimed(store, late.audit_id)
    assert fresh.token > late.token
    refused: tuple[Callable[[], object], ...] = (
        lambda: store.succeed(late, REPORT),
        lambda: store.extend(late, 30.0),
        lambda: store.progress(late, Progress(phase=Phase.SAMPLING)),
    )
    for call in refused:
        with pytest.raises(LeaseLost):
            call()
    store.succeed(fresh, REPORT)


def test_an_extended_lease_is_not_released(store: AuditStore, clock: Clock) -> None:
    lease = claimed(store, store.create(request()).id)
    clock.now += 29.0
    store.extend(lease, 30.0)
    clock.now += 29.0
    assert store.release_expired(max_attempts=3) == []


def test_an_audit_that_loses_every_worker_fails_as_worker_lost(store: AuditStore, clock: Clock) -> None:
    audit_id = store.create(request()).id
    for _ in range(2):
        claimed(store, audit_id)
        clock.now += 31.0
        store.release_expired(max_attempts=2)
    found = store.get(audit_id)
    assert found.state is AuditState.FAILED
    assert found.failure is not None
    assert found.failure.reason == WORKER_LOST
    assert found.attempts == 2


def test_waiting_audits_are_announced_again_only_when_they_are_old(store: AuditStore, clock: Clock) -> None:
    waiting, taken = store.create(request()).id, store.create(request()).id
    claimed(store, taken)
    assert store.take_unannounced(10.0) == []
    clock.now += 11.0
    assert store.take_unannounced(10.0) == [waiting]
    assert store.take_unannounced(10.0) == []


async def test_events_are_numbered_from_one_and_end_with_the_end(redis_url: str, store: AuditStore) -> None:
    lease = claimed(store, store.create(request()).id)
    store.progress(lease, Progress(phase=Phase.SAMPLING, replicates=64))
    store.succeed(lease, REPORT)
    waiting = connect_async(redis_url)
    reader = EventHub(waiting)
    events = [event async for event in reader.follow(lease.audit_id)]
    assert [event.sequence for event in events] == [1, 2, 3, 4]
    kinds = [type(event) for event in events]
    assert kinds == [StateChanged, StateChanged, Progressed, Finished]
    resumed = [event async for event in reader.follow(lease.audit_id, after_sequence=2)]
    assert resumed == events[2:]
    await waiting.aclose()


def test_a_redis_that_is_gone_is_unavailable() -> None:
    store = AuditStore(connect("redis://127.0.0.1:1/0"))
    for call in (lambda: store.get("x"), lambda: store.create(request()), lambda: store.claim("x", 1.0)):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            call()


def test_a_redis_that_is_full_says_so(redis_client: redis.Redis, store: AuditStore) -> None:
    limit = redis_client.config_get("maxmemory")
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(StorageFull, match="memory"):
            store.create(request())
    finally:
        redis_client.config_set("maxmemory", limit["maxmemory"] or 0)
    assert redis_client.dbsize() == 0


RETENTION = 60.0


def test_a_finished_audit_expires_with_its_events_and_indexes(redis_client: redis.Redis, clock: Clock) -> None:
    store = AuditStore(redis_client, clock, Limits(retention_seconds=RETENTION), instants=clock)
    lease = claimed(store, store.create(request(), "mine").id)
    store.succeed(lease, REPORT)
    assert store.get(lease.audit_id).expire_time == clock.now + RETENTION
    waiting = store.create(request()).id
    clock.now += RETENTION - 1
    assert store.delete_expired() == 0
    clock.now += 1
    assert store.delete_expired() == 1
    with pytest.raises(AuditNotFound):
        store.get(lease.audit_id)
    left = {str(each) for each in redis_client.scan_iter("*")}
    assert not [each for each in left if lease.audit_id in each]
    assert {str(each) for each in redis_client.zrange("dropaudit:audits", 0, -1)} == {waiting}
    assert not left & {"dropaudit:expiring", "dropaudit:index:state:SUCCEEDED", "dropaudit:index:verdict:PASS"}


def test_a_cancelled_audit_whose_worker_is_lost_is_not_made_again(store: AuditStore, clock: Clock) -> None:
    late = claimed(store, store.create(request()).id)
    store.cancel(late.audit_id)
    clock.now += 31.0
    assert store.release_expired(max_attempts=3) == []
    assert store.get(late.audit_id).state is AuditState.CANCELLED
    with pytest.raises(LeaseLost):
        store.stopped(late)


def test_a_late_holder_cancels_nothing(store: AuditStore, clock: Clock) -> None:
    late = claimed(store, store.create(request()).id)
    clock.now += 31.0
    store.release_expired(max_attempts=3)
    with pytest.raises(LeaseLost):
        store.stopped(late)
    assert store.get(late.audit_id).state is AuditState.QUEUED


def test_a_holder_that_finished_before_it_heard_has_finished(store: AuditStore) -> None:
    lease = claimed(store, store.create(request()).id)
    store.cancel(lease.audit_id)
    store.succeed(lease, REPORT)
    assert store.get(lease.audit_id).state is AuditState.SUCCEEDED
    assert store.cancel(lease.audit_id).state is AuditState.SUCCEEDED


def test_the_same_holder_who_asks_twice_gets_one_lease(store: AuditStore) -> None:
    audit_id = store.create(request()).id
    first, again = (store.claim(audit_id, 30.0, "me") for _ in range(2))
    assert first is not None
    assert again is not None
    assert (first.token, again.token, again.record.attempts) == (1, 1, 1)
    assert store.claim(audit_id, 30.0, "somebody else") is None


def test_an_end_that_is_written_twice_is_one_end(store: AuditStore, redis_client: redis.Redis) -> None:
    lease = claimed(store, store.create(request()).id)
    for _ in range(2):
        store.succeed(lease, REPORT)
    assert kinds_of_events(redis_client, lease.audit_id).count("finished") == 1
    with pytest.raises(LeaseLost):
        store.fail(lease, Failure(reason="INVALID_MODEL", message="m"))


def test_an_audit_that_is_created_again_by_a_call_whose_answer_was_lost_stays_as_it_is(
    store: AuditStore, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dropaudit_store.audits.lifecycle.sortable_id", lambda _: "f" * 32)
    store.create(request())
    lease = claimed(store, "f" * 32)
    store.create(request())
    assert store.get(lease.audit_id).state is AuditState.RUNNING
    assert kinds_of_events(redis_client, lease.audit_id) == ["state", "state"]


def test_a_holder_that_is_known_to_be_gone_loses_its_audit_at_once(store: AuditStore) -> None:
    audit_id = store.create(request()).id
    lease = store.claim(audit_id, 30.0, "worker/message/1")
    assert lease is not None
    assert store.lose(audit_id, "worker/another/", "signal 9", max_attempts=2) is None
    assert store.lose(audit_id, "worker/message/", "signal 9", max_attempts=2) is AuditState.QUEUED
    assert store.lose(audit_id, "worker/message/", "signal 9", max_attempts=2) is None
    with pytest.raises(LeaseLost):
        store.succeed(lease, REPORT)


def test_the_last_known_cause_is_told_though_the_last_worker_said_nothing(store: AuditStore, clock: Clock) -> None:
    audit_id = store.create(request()).id
    store.claim(audit_id, 30.0, "first")
    store.lose(audit_id, "first", "memory: the kernel killed it", max_attempts=2)
    store.claim(audit_id, 30.0, "second")
    clock.now += 31.0
    assert store.release_expired(max_attempts=2) == []
    failure = store.get(audit_id).failure
    assert failure is not None
    assert failure.message.endswith("the last known cause: memory: the kernel killed it")


def test_an_audit_that_is_handed_back_waits_and_has_lost_nobody(store: AuditStore, clock: Clock) -> None:
    audit_id = store.create(request()).id
    for _ in range(5):
        lease = claimed(store, audit_id)
        assert store.give_back(lease) is AuditState.QUEUED
    with pytest.raises(LeaseLost):
        store.give_back(lease)
    store.claim(audit_id, 30.0)
    clock.now += 31.0
    assert store.release_expired(max_attempts=2) == [audit_id]


def test_a_cancelled_audit_that_is_handed_back_or_lost_is_cancelled(store: AuditStore) -> None:
    for end in ("give_back", "lose"):
        lease = claimed(store, store.create(request()).id)
        store.cancel(lease.audit_id)
        state = store.give_back(lease) if end == "give_back" else store.lose(lease.audit_id, "", "signal 9", 3)
        assert state is AuditState.CANCELLED


def test_who_stands_by_a_holder_keeps_its_lease_and_nobody_else_s(store: AuditStore, clock: Clock) -> None:
    audit_id = store.create(request()).id
    assert not store.keep(audit_id, "worker/message/", 30.0)
    store.claim(audit_id, 30.0, "worker/message/1")
    clock.now += 20.0
    assert store.keep(audit_id, "worker/message/", 30.0)
    assert not store.keep(audit_id, "worker/another/", 300.0)
    clock.now += 20.0
    assert store.release_expired(max_attempts=3) == []
    clock.now += 20.0
    assert store.release_expired(max_attempts=3) == [audit_id]
