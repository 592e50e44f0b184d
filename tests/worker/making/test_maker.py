"""Claims about making one audit, with the audit itself as the fake."""

from __future__ import annotations

import threading
import time
from typing import Any, TypeVar, cast

import pytest
import redis
from structlog.testing import capture_logs

from dropaudit.errors import AuditCancelled, InvalidModel
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress
from dropaudit.report import Execution, Report, Verdict
from dropaudit.subjects import ArtifactSubject, Subject
from dropaudit_store.audits.course import UNKNOWN, Course
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.audits.totals import read_totals
from dropaudit_store.errors import BlobMissing, StorageFull, StoreUnavailable
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Failure, Spec, SubjectRef
from dropaudit_store.redis.connection import connect
from dropaudit_worker.making.course_recorder import CourseRecorder
from dropaudit_worker.making.maker import Audit, AuditMaker
from dropaudit_worker.making.redis_retry import RedisRetry
from dropaudit_worker.pool.heartbeat import Leaving
from dropaudit_worker.sandbox.host import SandboxLost
from support.audits import kinds_of_events
from support.clock import Clock

MADE = Report(verdict=Verdict.PASS, summary="Right.", execution=Execution(provider="cpu"))
PLAN = Plan(seed=7)
T = TypeVar("T")


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


def raising(error: Exception) -> Audit[Subject]:
    def audit(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
        raise error

    return audit


@pytest.fixture
def audit_id(store: AuditStore) -> str:
    """A waiting audit."""
    return store.create(AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=PLAN))).id


def maker(
    store: AuditStore,
    audit: Audit[Subject],
    lease_seconds: float = 30.0,
    *,
    leaving: Leaving = lambda: False,
    announced: list[str] | None = None,
) -> AuditMaker[Subject]:
    announce = (announced if announced is not None else []).append
    patience = RedisRetry(5.0)
    return AuditMaker(
        store, load, audit, lease_seconds, max_attempts=2, announce=announce, leaving=leaving, patience=patience
    )


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
    def missing(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
        raise BlobMissing("a" * 64)

    maker(store, missing).make(audit_id)
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


def test_a_redis_that_stays_away_leaves_the_audit_to_somebody_else() -> None:
    gone = AuditStore(connect("redis://127.0.0.1:1/0"))
    patience = RedisRetry(0.0)
    without = AuditMaker(
        gone, load, right, 30.0, max_attempts=2, announce=pytest.fail, leaving=lambda: False, patience=patience
    )
    with pytest.raises(StoreUnavailable):
        without.make("any")


class Flaky(AuditStore):
    """A store that does what it is asked to, and whose answers do not arrive now and then."""

    def __init__(self, client: redis.Redis, silences: int) -> None:
        super().__init__(client)
        self.silences = silences

    def claim(self, audit_id: str, lease_seconds: float, holder: str = "") -> Lease | None:
        return self._heard(super().claim(audit_id, lease_seconds, holder))

    def succeed(self, lease: Lease, report: dict[str, Any], course: Course = UNKNOWN) -> None:
        self._heard(super().succeed(lease, report, course))

    def _heard(self, answer: T) -> T:
        if self.silences:
            self.silences -= 1
            raise StoreUnavailable("no answer")
        return answer


def test_an_answer_that_does_not_arrive_costs_no_attempt(redis_client: redis.Redis) -> None:
    store = Flaky(redis_client, silences=2)
    audit_id = store.create(AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=PLAN))).id
    maker(store, right).make(audit_id, holder="this one")
    store.silences = 1
    assert (store.get(audit_id).state, store.get(audit_id).attempts) == (AuditState.SUCCEEDED, 1)


def test_a_report_that_redis_does_not_take_at_once_is_written_once(redis_client: redis.Redis) -> None:
    store = Flaky(redis_client, silences=0)
    audit_id = store.create(AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=PLAN))).id

    def audit(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
        store.silences = 2
        return MADE

    with capture_logs() as lines:
        maker(store, audit).make(audit_id)
    assert store.get(audit_id).state is AuditState.SUCCEEDED
    assert kinds_of_events(redis_client, audit_id) == ["state", "state", "finished"]
    assert [line["event"] for line in lines].count("the audit is made") == 1


def test_a_worker_that_leaves_hands_its_audit_back_without_losing_an_attempt(
    store: AuditStore, audit_id: str, clock: Clock
) -> None:
    asked, announced = threading.Event(), list[str]()

    def audit(_: Subject, __: Plan, ___: OnProgress, cancelled: IsCancelled) -> Report:
        asked.set()
        assert cancelled()
        raise AuditCancelled("cancelled")

    for _ in range(5):
        asked.clear()
        maker(store, audit, leaving=asked.is_set, announced=announced).make(audit_id)
        assert store.get(audit_id).state is AuditState.QUEUED
    assert announced == [audit_id] * 5
    maker(store, right).make(audit_id)
    assert (store.get(audit_id).state, store.get(audit_id).attempts) == (AuditState.SUCCEEDED, 6)


def test_a_worker_that_leaves_passes_messages_on(store: AuditStore, audit_id: str) -> None:
    announced = list[str]()
    maker(store, forbidden, leaving=lambda: True, announced=announced).make(audit_id)
    assert announced == [audit_id]
    assert (store.get(audit_id).state, store.get(audit_id).attempts) == (AuditState.QUEUED, 0)


def test_an_audit_that_is_cancelled_while_its_worker_leaves_is_cancelled(store: AuditStore, audit_id: str) -> None:
    def audit(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Report:
        store.cancel(audit_id)
        asked.set()
        raise AuditCancelled("cancelled")

    asked = threading.Event()
    maker(store, audit, leaving=asked.is_set).make(audit_id)
    assert store.get(audit_id).state is AuditState.CANCELLED


def test_progress_that_nobody_can_hear_ends_no_audit(store: AuditStore, audit_id: str) -> None:
    class Deaf(AuditStore):
        def progress(self, lease: Lease, progress: Progress) -> None:
            raise StorageFull("full")

    def audit(_: Subject, __: Plan, progress: OnProgress, ___: IsCancelled) -> Report:
        progress(Progress(phase=Phase.SAMPLING))
        return MADE

    deaf = Deaf(store._redis)
    maker(deaf, audit).make(audit_id)
    assert store.get(audit_id).state is AuditState.SUCCEEDED


def test_memory_that_is_not_there_ends_the_audit_with_what_to_do(store: AuditStore, audit_id: str) -> None:
    maker(store, raising(MemoryError())).make(audit_id)
    failure = store.get(audit_id).failure
    assert failure is not None
    assert failure.reason == "MEMORY_LIMIT_EXCEEDED"
    assert "DROPAUDIT_MEMORY_LIMIT_MEBIBYTES" in failure.message


def test_what_a_model_says_steers_no_terminal(store: AuditStore, audit_id: str) -> None:
    maker(store, raising(InvalidModel("node \x1b[31m\u202e\nevil"))).make(audit_id)
    failure = store.get(audit_id).failure
    assert failure is not None
    assert failure.message == r"node \x1b[31m\u202e\nevil"


def test_an_audit_whose_process_is_lost_is_tried_again_and_fails_with_the_cause(
    store: AuditStore, audit_id: str
) -> None:
    announced = list[str]()
    crashing = maker(store, raising(SandboxLost("signal 11 (SIGSEGV)")), announced=announced)
    crashing.make(audit_id)
    assert (store.get(audit_id).state, announced) == (AuditState.QUEUED, [audit_id])
    crashing.make(audit_id)
    failure = store.get(audit_id).failure
    assert failure is not None
    assert failure.reason == "WORKER_LOST"
    assert failure.message.endswith("the last known cause: signal 11 (SIGSEGV)")
    assert announced == [audit_id]


def test_a_failure_that_is_returned_is_written_without_escapes_and_not_tried_again(
    store: AuditStore, audit_id: str
) -> None:
    def failing(_: Subject, __: Plan, ___: OnProgress, ____: IsCancelled) -> Failure:
        return Failure(reason="TIME_LIMIT_EXCEEDED", message="late\x1b")

    maker(store, failing).make(audit_id)
    found = store.get(audit_id)
    assert (found.state, found.attempts) == (AuditState.FAILED, 1)
    assert found.failure == Failure(reason="TIME_LIMIT_EXCEEDED", message=r"late\x1b")


def test_phases_are_counted_with_the_report(store: AuditStore, audit_id: str, redis_client: redis.Redis) -> None:
    instants = iter(range(0, 100 * 10**9, 10**9))

    def audit(_: Subject, __: Plan, progress: OnProgress, ___: IsCancelled) -> Report:
        for phase in (Phase.PREPARING, Phase.SAMPLING, Phase.SAMPLING, Phase.JUDGING):
            progress(Progress(phase=phase))
        return MADE

    recorder = CourseRecorder(lambda: next(instants))
    patience = RedisRetry(5.0)
    AuditMaker(
        store, load, audit, 30.0, max_attempts=2, announce=list[str]().append, leaving=lambda: False, patience=patience,
        recorder=recorder,
    ).make(audit_id)  # fmt: skip
    phases = read_totals(redis_client).phases
    # An end and the next beginning are an instant each: a second here.
    assert {name: times.sum for name, times in phases.items()} == dict.fromkeys(
        ("LOADING", "PREPARING", "SAMPLING", "JUDGING"), 1.0
    )
