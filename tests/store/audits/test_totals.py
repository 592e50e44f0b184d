"""Claims about what is counted of audits: each once, however it ends."""

from __future__ import annotations

import pytest
import redis

from dropaudit.plan import Plan
from dropaudit.report import to_json
from dropaudit_store.audits.course import Course
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.audits.totals import read_totals
from dropaudit_store.errors import LeaseLost
from dropaudit_store.records import ArtifactRef, AuditRequest, AuditState, Failure, Spec
from support.clock import Clock
from support.reports import finding, report_with

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))
REPORT = to_json(report_with(finding("DA301", "drop")))


def claimed(store: AuditStore) -> Lease:
    lease = store.claim(store.create(REQUEST).id, 30.0)
    assert lease is not None
    return lease


def test_before_the_first_audit_all_is_zero(redis_client: redis.Redis) -> None:
    totals = read_totals(redis_client)
    assert (totals.finished, totals.replicates, totals.lost) == ({}, 0, 0)
    assert {count for _, count in totals.waits.counts + totals.runs.counts} == {0}


def test_audits_are_counted_by_how_they_ended(store: AuditStore, redis_client: redis.Redis) -> None:
    for _ in range(2):
        store.succeed(claimed(store), REPORT)
    store.fail(claimed(store), Failure(reason="INVALID_MODEL", message="m"))
    store.cancel(store.create(REQUEST).id)
    running = claimed(store)
    store.cancel(running.audit_id)
    store.stopped(running)
    totals = read_totals(redis_client)
    assert totals.finished == {
        (AuditState.SUCCEEDED, "FAIL", "cpu"): 2,
        (AuditState.FAILED, "INVALID_MODEL", ""): 1,
        (AuditState.CANCELLED, "", ""): 2,
    }
    assert totals.replicates == 2 * REPORT["execution"]["replicates"]
    # Who was cancelled while it waited, never ran.
    assert totals.runs.counts[-1] == ("inf", 4)


def test_an_end_that_is_told_again_or_too_late_is_not_counted_again(
    store: AuditStore, redis_client: redis.Redis, clock: Clock
) -> None:
    lease = claimed(store)
    for _ in range(2):
        store.succeed(lease, REPORT)
    late = claimed(store)
    clock.now += 60
    store.release_expired(1)
    with pytest.raises(LeaseLost):
        store.succeed(late, REPORT)
    totals = read_totals(redis_client)
    assert totals.finished == {(AuditState.SUCCEEDED, "FAIL", "cpu"): 1, (AuditState.FAILED, "WORKER_LOST", ""): 1}
    assert (totals.lost, totals.expired) == (1, 1)


def test_waits_and_runs_are_counted_in_classes(store: AuditStore, redis_client: redis.Redis, clock: Clock) -> None:
    for waited, ran in ((0.0, 0.25), (3.0, 3.0), (7200.0, 20.0)):
        audit_id = store.create(REQUEST).id
        clock.now += waited
        lease = store.claim(audit_id, 30.0)
        assert lease is not None
        clock.now += ran
        store.succeed(lease, REPORT)
    totals = read_totals(redis_client)
    assert dict(totals.waits.counts) == {
        **dict.fromkeys(("0.1", "0.5", "1"), 1),
        **dict.fromkeys(("5", "10", "30", "60", "300", "1800"), 2),
        "inf": 3,
    }
    assert dict(totals.runs.counts) == {
        "0.1": 0,
        **dict.fromkeys(("0.5", "1"), 1),
        **dict.fromkeys(("5", "10"), 2),
        **dict.fromkeys(("30", "60", "300", "1800", "inf"), 3),
    }
    assert [totals.waits.sum, totals.runs.sum] == pytest.approx([7203.0, 23.25])


def test_a_second_attempt_is_no_second_wait(store: AuditStore, redis_client: redis.Redis, clock: Clock) -> None:
    lease = claimed(store)
    clock.now += 60
    assert store.release_expired(3) == [lease.audit_id]
    again = store.claim(lease.audit_id, 30.0)
    assert again is not None
    store.succeed(again, REPORT)
    totals = read_totals(redis_client)
    assert (totals.waits.counts[-1], totals.runs.counts[-1], totals.lost) == (("inf", 1), ("inf", 1), 1)


def test_what_an_earlier_version_counted_is_told_as_well(store: AuditStore, redis_client: redis.Redis) -> None:
    redis_client.hset("dropaudit:totals", mapping={"finished:SUCCEEDED:PASS": 7, "finished:SUCCEEDED:FAIL:cpu": 2})
    store.succeed(claimed(store), REPORT)
    assert read_totals(redis_client).finished == {
        (AuditState.SUCCEEDED, "PASS", ""): 7,
        (AuditState.SUCCEEDED, "FAIL", "cpu"): 3,
    }


def test_phases_and_prepared_artifacts_are_counted(store: AuditStore, redis_client: redis.Redis) -> None:
    store.succeed(claimed(store), REPORT, Course({"LOADING": 0.004, "SAMPLING": 2.0}, hits=1))
    store.succeed(claimed(store), REPORT, Course({"LOADING": 0.05, "SAMPLING": 4000.0}, misses=2))
    totals = read_totals(redis_client)
    assert dict(totals.phases["LOADING"].counts) == {
        **dict.fromkeys(("0.005", "0.02"), 1),
        **dict.fromkeys(("0.1", "0.5", "1", "5", "10", "30", "60", "300", "1800", "inf"), 2),
    }
    assert totals.phases["SAMPLING"].counts[-2:] == (("1800", 1), ("inf", 2))
    assert totals.phases["SAMPLING"].sum == pytest.approx(4002.0)
    assert totals.prepared == {"hit": 1, "miss": 2}


def test_a_provider_that_nobody_knows_makes_no_series_of_its_own(store: AuditStore, redis_client: redis.Redis) -> None:
    execution = REPORT["execution"] | {"provider": "made up:by a model"}
    store.succeed(claimed(store), REPORT | {"execution": execution})
    assert list(read_totals(redis_client).finished) == [(AuditState.SUCCEEDED, "FAIL", "other")]


def test_a_loss_that_a_parent_saw_is_no_lease_that_ran_out(store: AuditStore, redis_client: redis.Redis) -> None:
    lease = store.claim(store.create(REQUEST).id, 30.0, "holder")
    assert lease is not None
    store.lose(lease.audit_id, "holder", "killed", 3)
    totals = read_totals(redis_client)
    assert (totals.lost, totals.expired) == (1, 0)
