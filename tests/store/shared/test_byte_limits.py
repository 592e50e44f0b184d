"""Claims about how much is kept of each kind."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis

from dropaudit.plan import Phase, Plan, Progress, TestProgress
from dropaudit.report import Interval
from dropaudit_store.audits.events import Progressed, read_event
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.audits.listing import AuditList, Query
from dropaudit_store.content.inspections import Inspection, Inspections
from dropaudit_store.errors import InspectionsFull, RecordTooLarge
from dropaudit_store.models import ModelStore
from dropaudit_store.records import (
    ArtifactRef,
    AuditRequest,
    AuditState,
    Failure,
    ModelRecord,
    Spec,
    TensorInfo,
    Tensors,
)
from support.clock import Clock

A = "a" * 64
REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model=A), plan=Plan()))
EXECUTION = {"provider": "cpu", "replicates": 64}


def claimed(store: AuditStore) -> Lease:
    lease = store.claim(store.create(REQUEST).id, 60.0)
    assert lease is not None
    return lease


def report(**parts: Any) -> dict[str, Any]:
    return {"verdict": "WARN", "summary": "s", "findings": [], "sites": [], "execution": EXECUTION, **parts}


def findings(count: int, name: str = "n") -> list[dict[str, Any]]:
    alike = {"code": "DA102", "slug": "s", "severity": "WARNING", "message": "m", "remedy": "r"}
    return [{**alike, "subject": f"{name}{number}", "evidence": {"removed": [name] * 50}} for number in range(count)]


def test_a_large_report_is_kept_short_and_found_by_all_that_it_found(
    store: AuditStore, redis_client: redis.Redis
) -> None:
    lease = claimed(store)
    store.succeed(lease, report(findings=findings(3000, "n" * 300), sites=[{"name": "n" * 300}] * 9000))
    kept = store.get(lease.audit_id).report
    assert kept is not None
    assert kept["shortened"]
    assert redis_client.hstrlen(f"dropaudit:audit:{lease.audit_id}", "report") < 2 << 20
    assert redis_client.zcard("dropaudit:index:finding:DA102") == 1


def test_lists_tell_less_and_read_no_whole_report(store: AuditStore, redis_client: redis.Redis) -> None:
    lease = claimed(store)
    store.succeed(lease, report(findings=findings(2), sites=[{"name": "a"}]))
    ((told,), _) = AuditList(redis_client, store).page(Query(), 5, whole=False)
    assert told.report is not None
    assert set(told.report) == {"verdict", "summary", "execution", "findings"}
    assert [each["subject"] for each in told.report["findings"]] == ["n0", "n1"]
    assert all("evidence" not in each for each in told.report["findings"])
    ((whole,), _) = AuditList(redis_client, store).page(Query(), 5)
    assert whole.report == report(findings=findings(2), sites=[{"name": "a"}])


def test_what_an_earlier_version_stored_is_told_in_its_limits(store: AuditStore, redis_client: redis.Redis) -> None:
    lease = claimed(store)
    store.succeed(lease, report())
    name = f"dropaudit:audit:{lease.audit_id}"
    redis_client.hdel(name, "brief")
    redis_client.hset(name, "report", msgspec.json.encode(report(findings=findings(500, "n" * 3000))))
    ((told,), _) = AuditList(redis_client, store).page(Query(), 5, whole=False)
    assert told.report is not None
    assert len(msgspec.json.encode(told.report)) < 64 << 10
    assert len(msgspec.json.encode(store.get(lease.audit_id).report)) < 2 << 20
    record = ModelRecord(sha256=A, size=1, display_name="n" * 40_000, create_time=1.0)
    redis_client.set(f"dropaudit:model:{A}", msgspec.json.encode(record))
    assert len(ModelStore(redis_client).get(A).display_name.encode()) == 512


def test_a_page_ends_early_where_its_audits_are_large_and_the_next_goes_on(
    store: AuditStore, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dropaudit_store.audits.reader.READ_BYTES", 5000)
    made = []
    for _ in range(7):
        lease = claimed(store)
        store.succeed(lease, report(sites=[{"name": "n" * 400}] * 4))
        made.append(lease.audit_id)
    listed, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        found, cursor = AuditList(redis_client, store).page(Query(after=cursor, descending=False), 5)
        listed += [each.id for each in found]
        pages += 1
    assert listed == made
    assert pages == 4


def test_a_request_has_a_size_limit(store: AuditStore) -> None:
    infos = tuple(TensorInfo(name="n" * 2000, dtype="float32", shape=(1,)) for _ in range(600))
    subject = ArtifactRef(model=A, inputs=Tensors(sha256=A, infos=infos))
    with pytest.raises(RecordTooLarge, match="1048576"):
        store.create(AuditRequest(spec=Spec(subject=subject, plan=Plan())))


def test_an_event_and_a_failure_have_a_size_limit(store: AuditStore, redis_client: redis.Redis) -> None:
    lease = claimed(store)
    interval = Interval(estimate=0.5, lower=0.4, upper=0.6)
    tests = tuple(TestProgress("n" * 3000, "keepProb", interval, decided=False) for _ in range(100))
    store.progress(lease, Progress(phase=Phase.SAMPLING, total_tests=100, tests=tests))
    entries: Any = redis_client.xrevrange(f"dropaudit:events:{lease.audit_id}", count=1)
    event = read_event(*entries[0])
    assert isinstance(event, Progressed)
    assert 0 < len(event.progress["tests"]) < 100
    assert len(msgspec.json.encode(event.progress)) < 17 << 10
    store.fail(lease, Failure(reason="INVALID_MODEL", message="é" * 5000))
    failure = store.get(lease.audit_id).failure
    assert failure is not None
    assert len(failure.message.encode()) <= 4096


def test_how_audits_stand_is_known_without_their_reports(store: AuditStore) -> None:
    lease, failed, waiting = claimed(store), claimed(store), store.create(REQUEST)
    store.succeed(lease, report(summary="all is well " * 100))
    store.fail(failed, Failure(reason="INVALID_MODEL", message="no model"))
    ids = [lease.audit_id, failed.audit_id, waiting.id, "gone"]
    found = store.read.standings(ids, summaries=True)
    assert [each.state for each in found.values()] == [AuditState.SUCCEEDED, AuditState.FAILED, AuditState.QUEUED]
    assert [each.verdict for each in found.values()] == ["WARN", "", ""]
    assert len(found[lease.audit_id].summary.encode()) == 512
    assert found[failed.audit_id].summary == "no model"
    assert store.read.standings(ids, summaries=False)[lease.audit_id].summary == ""


def test_one_model_waits_for_inspection_once_and_not_too_many_wait(redis_client: redis.Redis, clock: Clock) -> None:
    inspections = Inspections(redis_client, clock, most=2)
    assert inspections.ask(A, 60.0)
    assert not inspections.ask(A, 60.0)
    assert inspections.ask("b" * 64, 60.0)
    with pytest.raises(InspectionsFull, match="2 models"):
        inspections.ask("c" * 64, 60.0)
    inspections.put(A, Inspection(sites=({"name": "s"},)))
    assert inspections.ask("c" * 64, 60.0)
    clock.now += 61.0
    assert inspections.ask("b" * 64, 60.0)


def test_an_inspection_with_too_many_sites_says_how_many_it_tells(redis_client: redis.Redis) -> None:
    inspections = Inspections(redis_client)
    inspections.put(A, Inspection(sites=tuple({"name": "n" * 500} for _ in range(20_000))))
    found = inspections.get(A)
    assert found is not None
    assert 0 < len(found.sites) < 20_000
    assert found.shortened == (f"sites: {len(found.sites)} of 20000 are told",)
