"""Properties of leases: whatever callers, workers and clocks do, in whatever order, the books are right.

A machine of hypothesis makes histories of calls on a real Redis, and beside the store keeps what must be true of each
audit: its state, its attempts, who may still write. Instants come from a clock that the history turns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Phases
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from dropaudit.plan import Phase, Plan, Progress
from dropaudit_store.audits.creation import AuditToCreate
from dropaudit_store.audits.lifecycle import AuditStore, Lease, Limits
from dropaudit_store.audits.listing import AuditList, Query
from dropaudit_store.audits.terms import state_term
from dropaudit_store.errors import AuditNotFinished, AuditNotFound, LeaseLost, QueueFull, RequestIdReused
from dropaudit_store.records import ArtifactRef, AuditRecord, AuditRequest, AuditState, Failure, Spec
from dropaudit_store.redis.connection import key, texts
from support.clock import Clock

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = AuditState
LEASE, RETENTION, MOST_QUEUED, MOST_ATTEMPTS = 30.0, 300.0, 4, 3
REQUESTS = [AuditRequest(spec=Spec(subject=ArtifactRef(model=digit * 64), plan=Plan())) for digit in "ab"]
REPORT: dict[str, Any] = {"verdict": "PASS", "summary": "", "findings": [], "execution": {"replicates": 64}}
FAILURE = Failure(reason="INTERNAL", message="m")
HOLDERS = ["one/1", "one/2", "two/1"]
CRASHED = "a signal ended it"
NOBODY = 10**6
"""A token that nobody was given."""


@dataclass
class Expected:
    """The state that an audit must be in."""

    request: int
    request_id: str
    state: AuditState = QUEUED
    attempts: int = 0
    token: int = 0
    holder: str = ""
    lease_end: float = 0.0
    lost: int = 0
    asked_to_stop: bool = False
    ended_by: tuple[int, AuditState] | None = None
    end: float = 0.0
    events: int = field(default=1)

    def is_held_by(self, token: int) -> bool:
        return self.state is RUNNING and self.token == token

    def enter(self, state: AuditState, now: float) -> None:
        self.state, self.end = state, now
        self.events += 1


class Histories(RuleBasedStateMachine):
    """Everything that happens to audits, in any order."""

    audits: Bundle[str] = Bundle("audits")
    leases: Bundle[Lease] = Bundle("leases")

    redis: ClassVar[redis.Redis]

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushall()
        self.clock = Clock()
        limits = Limits(queued=MOST_QUEUED, retention_seconds=RETENTION)
        self.store = AuditStore(self.redis, self.clock, limits, instants=self.clock)
        self.expected: dict[str, Expected] = {}
        self.deleted: set[str] = set()

    @rule(target=audits, request=st.integers(0, 1), request_id=st.sampled_from(["", "", "x", "y"]))
    def create(self, request: int, request_id: str) -> str:
        """A caller asks for an audit: again and again with the same id, which may be that of another request."""
        known = {each.request_id: each for each in self.expected.values() if each.request_id}
        asked = [AuditToCreate(REQUESTS[request], request_id)]
        if request_id in known and known[request_id].request != request:
            with pytest.raises(RequestIdReused):
                self.store.create_many(asked)
        elif request_id not in known and self._count(QUEUED) == MOST_QUEUED:
            with pytest.raises(QueueFull):
                self.store.create_many(asked)
        else:
            (record,) = self.store.create_many(asked)
            assert (record.id in self.expected) == (request_id in known)
            self.expected.setdefault(record.id, Expected(request, request_id))
            return record.id
        return next(iter(self.expected))

    @rule(target=leases, audit=audits, holder=st.sampled_from(HOLDERS))
    def claim(self, audit: str, holder: str) -> Lease:
        """A worker takes an audit, or asks a second time since it heard no answer."""
        expected = self.expected.get(audit)
        lease = self.store.claim(audit, LEASE, holder)
        if expected is not None and expected.state is RUNNING and expected.holder == holder:
            assert lease is not None
            assert lease.token == expected.token
        elif expected is not None and expected.state is QUEUED:
            assert lease is not None
            assert lease.token == expected.token + 1
            expected.token, expected.holder, expected.lease_end = lease.token, holder, self.clock.now + LEASE
            expected.attempts += 1
            expected.enter(RUNNING, 0.0)
        else:
            assert lease is None
            return Lease(audit, NOBODY, AuditRecord(id=audit, request=REQUESTS[0], state=QUEUED, create_time=0.0))
        return lease

    @rule(lease=leases)
    def extend(self, lease: Lease) -> None:
        """A worker goes on."""
        expected = self.expected.get(lease.audit_id)
        if expected is None or not expected.is_held_by(lease.token):
            with pytest.raises(LeaseLost):
                self.store.extend(lease, LEASE)
            return
        assert self.store.extend(lease, LEASE) == (not expected.asked_to_stop)
        expected.lease_end = self.clock.now + LEASE

    @rule(audit=audits, holder=st.sampled_from([*HOLDERS, "one/", "three/"]))
    def keep(self, audit: str, holder: str) -> None:
        """A parent keeps the lease of a child that is busy."""
        expected = self.expected.get(audit)
        held = expected is not None and expected.state is RUNNING and expected.holder.startswith(holder)
        assert self.store.keep(audit, holder, LEASE) == held
        if expected is not None and held:
            expected.lease_end = self.clock.now + LEASE

    @rule(lease=leases)
    def progress(self, lease: Lease) -> None:
        """A worker says how far it is."""
        now = Progress(phase=Phase.SAMPLING, replicates=1, max_replicates=2, total_tests=0, tests=())
        expected = self.expected.get(lease.audit_id)
        if expected is not None and expected.is_held_by(lease.token):
            self.store.progress(lease, now)
            expected.events += 1
            return
        with pytest.raises(LeaseLost):
            self.store.progress(lease, now)

    @rule(lease=leases, how=st.sampled_from([SUCCEEDED, FAILED, CANCELLED]))
    def end(self, lease: Lease, how: AuditState) -> None:
        """A worker ends an audit, in time, too late, or a second time."""
        ways: dict[AuditState, Callable[[], None]] = {
            SUCCEEDED: lambda: self.store.succeed(lease, REPORT),
            FAILED: lambda: self.store.fail(lease, FAILURE),
            CANCELLED: lambda: self.store.stopped(lease),
        }
        expected = self.expected.get(lease.audit_id)
        if expected is not None and expected.ended_by == (lease.token, how):
            ways[how]()
        elif expected is not None and expected.is_held_by(lease.token):
            ways[how]()
            expected.ended_by = (lease.token, how)
            expected.enter(how, self.clock.now)
        else:
            with pytest.raises(LeaseLost):
                ways[how]()

    @rule(lease=leases)
    def give_back(self, lease: Lease) -> None:
        """A worker that stops hands its audit back."""
        expected = self.expected.get(lease.audit_id)
        if expected is None or not expected.is_held_by(lease.token):
            with pytest.raises(LeaseLost):
                self.store.give_back(lease)
            return
        assert self.store.give_back(lease) is self._requeued(expected)

    @rule(audit=audits, holder=st.sampled_from(["one/", "one/1", "two/"]))
    def lose(self, audit: str, holder: str) -> None:
        """A parent finds its child gone."""
        expected = self.expected.get(audit)
        found = self.store.lose(audit, holder, CRASHED, MOST_ATTEMPTS)
        if expected is None or expected.state is not RUNNING or not expected.holder.startswith(holder):
            assert found is None
        else:
            assert found is self._lost(expected)

    @rule(punctual=st.booleans())
    def release(self, punctual: bool) -> None:
        """A reconciler looks for leases that have run out; it may come at the very instant at which one does."""
        if punctual:
            ends = [each.lease_end for each in self.expected.values() if each.state is RUNNING]
            self.clock.now = max(self.clock.now, min(ends, default=0.0))
        due = {
            name: each
            for name, each in self.expected.items()
            if each.state is RUNNING and each.lease_end <= self.clock.now
        }
        queued = self.store.release_expired(MOST_ATTEMPTS)
        assert sorted(queued) == sorted(name for name, each in due.items() if self._lost(each) is QUEUED)

    def _lost(self, expected: Expected) -> AuditState:
        if expected.asked_to_stop:
            return self._requeued(expected)
        expected.lost += 1
        if expected.lost < MOST_ATTEMPTS:
            return self._requeued(expected)
        expected.enter(FAILED, self.clock.now)
        return FAILED

    def _requeued(self, expected: Expected) -> AuditState:
        state = CANCELLED if expected.asked_to_stop else QUEUED
        expected.enter(state, self.clock.now)
        return state

    @rule(audit=audits)
    def cancel(self, audit: str) -> None:
        """A caller cancels."""
        expected = self.expected.get(audit)
        if expected is None:
            with pytest.raises(AuditNotFound):
                self.store.cancel(audit)
            return
        record = self.store.cancel(audit)
        if expected.state is QUEUED:
            expected.enter(CANCELLED, self.clock.now)
        expected.asked_to_stop |= expected.state is RUNNING
        assert record.state is expected.state

    @rule(audit=consumes(audits))
    def delete(self, audit: str) -> None:
        """A caller deletes, and goes on naming what is gone by its leases."""
        expected = self.expected.get(audit)
        if expected is None:
            with pytest.raises(AuditNotFound):
                self.store.delete(audit)
        elif not expected.state.is_final:
            with pytest.raises(AuditNotFinished):
                self.store.delete(audit)
        else:
            self.store.delete(audit)
            self._forget(audit)

    @rule()
    def expire(self) -> None:
        """The time of old audits has come."""
        due = [
            name
            for name, each in self.expected.items()
            if each.state.is_final and each.end + RETENTION <= self.clock.now
        ]
        assert self.store.delete_expired() == len(due)
        for name in due:
            self._forget(name)

    def _forget(self, audit: str) -> None:
        del self.expected[audit]
        self.deleted.add(audit)

    @rule(seconds=st.sampled_from([0.001, 1.0, 29.999, 30.0, 31.0, 300.0]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.now = round(self.clock.now + seconds, 3)

    def _count(self, state: AuditState) -> int:
        return sum(each.state is state for each in self.expected.values())

    @invariant()
    def records_tell_what_happened(self) -> None:
        """Every audit is in its state, with its attempts and its result, and what is gone is gone."""
        found = self.store.find_many([*self.expected, *self.deleted])
        assert set(found) == set(self.expected)
        for name, expected in self.expected.items():
            record = found[name]
            assert (record.state, record.attempts) == (expected.state, expected.attempts)
            assert (record.report is not None) == (expected.state is SUCCEEDED)
            assert (record.failure is not None) == (expected.state is FAILED)
            assert record.end_time == (expected.end if expected.state.is_final else None)
            newest = self.redis.xinfo_stream(key("events", name))["last-generated-id"]
            assert newest == f"{expected.events}-0"

    @invariant()
    def indexes_agree_with_the_records(self) -> None:
        """Queue, leases, lists and counts hold each audit where its state says."""
        by_state = {state: {n for n, each in self.expected.items() if each.state is state} for state in AuditState}
        listing = AuditList(self.redis, self.store)
        assert listing.counts() == {state.value: len(names) for state, names in by_state.items()}
        for state, names in by_state.items():
            assert set(texts(self.redis.zrange(key("index", state_term(state)), 0, -1))) == names
        assert set(texts(self.redis.zrange(key("queued"), 0, -1))) == by_state[QUEUED]
        assert set(texts(self.redis.zrange(key("running"), 0, -1))) == by_state[RUNNING]
        page, _ = listing.page(Query(), 1000)
        assert [record.id for record in page] == sorted(self.expected, reverse=True)


def test_the_books_are_right_after_any_history(redis_client: redis.Redis) -> None:
    # A history that fails is shown as it was found: to make it short takes minutes.
    phases = [each for each in Phases if each is not Phases.shrink]
    checked = settings(max_examples=60, stateful_step_count=40, phases=phases, suppress_health_check=list(HealthCheck))
    on_this_redis = type("OnThisRedis", (Histories,), {"redis": redis_client})
    run_state_machine_as_test(on_this_redis, settings=checked)
