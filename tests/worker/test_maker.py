"""Claims about making one audit, with the audit itself as the fake."""

from __future__ import annotations

import threading
import time
from typing import cast

import pytest
import redis
from structlog.testing import capture_logs

from dropaudit.errors import AuditCancelled, InvalidModel
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress
from dropaudit.report import Execution, Report, Verdict
from dropaudit.subjects import ArtifactSubject, Subject
from dropaudit_store.audits import AuditStore
from dropaudit_store.connection import connect
from dropaudit_store.errors import BlobMissing, StoreUnavailable
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Failure, Spec, SubjectRef
from dropaudit_worker.maker import Audit, AuditMaker
from support.clock import Clock

MADE = Report(verdict=Verdict.PASS, summary="Right.", execution=Execution(provider="cpu"))
PLAN = Plan(seed=7)


def load(ref: SubjectRef) -> Subject:
    assert isinstance(ref, ArtifactRef)
    return ArtifactSubject(ref.model.encode())


def right(subject: Subject, plan: Plan, progress: OnProgress, cancelled: IsCancelled) -> Report:
    """Find nothing wrong with the subject that was asked for."""
    assert subject == ArtifactSubject(b"a" * 64)
    assert plan == PLAN
    return MADE


def forbidden(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
    """Fail the test; a maker cannot take that for an error of the audit."""
    pytest.fail("an audit was made")


def raising(error: Exception) -> Audit:
    def audit(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
        raise error

    return audit


@pytest.fixture
def audit_id(store: AuditStore) -> str:
    """A waiting audit."""
    return store.create(AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=PLAN))).id


def maker(store: AuditStore, audit: Audit, lease_seconds: float = 30.0) -> AuditMaker:
    return AuditMaker(store, load, audit, lease_seconds)


def test_a_made_audit_has_succeeded_with_its_report(store: AuditStore, audit_id: str) -> None:
    maker(store, right).make(audit_id)
    found = store.get(audit_id)
    assert (found.state, found.attempts, found.failure) == (AuditState.SUCCEEDED, 1, None)
    assert found.report is not None
    assert (found.report["verdict"], found.report["summary"]) == ("PASS", "Right.")


def test_a_second_wake_up_call_makes_nothing(store: AuditStore, audit_id: str) -> None:
    maker(store, right).make(audit_id)
    before = store.get(audit_id)
    maker(store, forbidden).make(audit_id)
    assert store.get(audit_id) == before


def test_a_wake_up_call_for_nothing_makes_nothing(store: AuditStore) -> None:
    maker(store, forbidden).make("none")


def test_an_audit_that_cannot_be_made_fails_with_its_reason(store: AuditStore, audit_id: str) -> None:
    maker(store, raising(InvalidModel("It is no model."))).make(audit_id)
    found = store.get(audit_id)
    assert (found.state, found.report) == (AuditState.FAILED, None)
    assert found.failure == Failure(reason="INVALID_MODEL", message="It is no model.")


def test_a_subject_whose_content_is_gone_fails_with_its_reason(store: AuditStore, audit_id: str) -> None:
    def missing(_: SubjectRef) -> Subject:
        raise BlobMissing("a" * 64)

    AuditMaker(store, missing, right, 30.0).make(audit_id)
    failure = store.get(audit_id).failure
    assert failure is not None
    assert failure.reason == "BLOB_MISSING"


def test_an_unexpected_error_tells_the_caller_nothing_and_the_log_everything(store: AuditStore, audit_id: str) -> None:
    with capture_logs() as lines:
        maker(store, raising(RuntimeError("secret"))).make(audit_id)
    failure = store.get(audit_id).failure
    assert failure == Failure(reason="INTERNAL", message="the audit failed unexpectedly; the worker's log says why")
    (line,) = (each for each in lines if each.get("exc_info"))
    assert line["audit"] == audit_id


def test_progress_reaches_the_watchers(store: AuditStore, audit_id: str, redis_client: redis.Redis) -> None:
    def audit(_: Subject, __: Plan, progress: OnProgress, ___: IsCancelled) -> Report:
        progress(Progress(phase=Phase.SAMPLING, replicates=64))
        return MADE

    maker(store, audit).make(audit_id)
    events = cast(list[tuple[str, dict[str, str]]], redis_client.xrange(f"dropaudit:events:{audit_id}"))
    kinds = [fields["kind"] for _, fields in events]
    assert kinds == ["state", "state", "progress", "finished"]


def test_who_has_lost_the_lease_changes_nothing(store: AuditStore, audit_id: str, clock: Clock) -> None:
    def audit(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
        clock.now += 31.0
        assert store.release_expired(max_attempts=3) == [audit_id]
        return MADE

    maker(store, audit).make(audit_id)
    found = store.get(audit_id)
    assert (found.state, found.report) == (AuditState.QUEUED, None)


def test_progress_of_a_lost_lease_ends_the_audit_and_changes_nothing(
    store: AuditStore, audit_id: str, clock: Clock
) -> None:
    went_on = []

    def audit(_: Subject, __: Plan, progress: OnProgress, ___: IsCancelled) -> Report:
        clock.now += 31.0
        store.release_expired(max_attempts=3)
        progress(Progress(phase=Phase.SAMPLING))
        went_on.append(True)
        return MADE

    maker(store, audit).make(audit_id)
    assert went_on == []
    assert store.get(audit_id).state is AuditState.QUEUED


def test_a_heartbeat_keeps_the_lease_of_a_long_audit(redis_client: redis.Redis, audit_id: str) -> None:
    store = AuditStore(redis_client)

    def audit(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
        threading.Event().wait(1.0)
        assert store.release_expired(max_attempts=3) == []
        return MADE

    maker(store, audit, lease_seconds=0.3).make(audit_id)
    assert store.get(audit_id).state is AuditState.SUCCEEDED


def test_a_lost_lease_cancels_the_audit(store: AuditStore, audit_id: str, clock: Clock) -> None:
    def audit(_: Subject, __: Plan, ___: OnProgress, cancelled: IsCancelled) -> Report:
        assert not cancelled()
        clock.now += 1.0
        assert store.release_expired(max_attempts=3) == [audit_id]
        for _attempt in range(100):
            if cancelled():
                raise AuditCancelled("cancelled")
            threading.Event().wait(0.05)
        pytest.fail("the lease was lost and nobody said so")

    maker(store, audit, lease_seconds=0.3).make(audit_id)
    found = store.get(audit_id)
    assert (found.state, found.failure) == (AuditState.QUEUED, None)


def test_an_audit_that_is_cancelled_stops_within_a_second_and_is_cancelled(store: AuditStore, audit_id: str) -> None:
    def audit(_: Subject, __: Plan, ___: OnProgress, cancelled: IsCancelled) -> Report:
        store.cancel(audit_id)
        asked = time.monotonic()
        while not cancelled():
            assert time.monotonic() - asked < 1.0
            time.sleep(0.01)
        raise AuditCancelled("cancelled")

    maker(store, audit).make(audit_id)
    found = store.get(audit_id)
    assert (found.state, found.failure, found.report) == (AuditState.CANCELLED, None, None)


def test_a_redis_that_is_gone_leaves_the_audit_to_somebody_else() -> None:
    gone = AuditStore(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable):
        maker(gone, right).make("any")
