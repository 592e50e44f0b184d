"""Claims about CancelAudit in each state, expiry, priorities and a full queue."""

from __future__ import annotations

import time
from pathlib import Path

import grpc
import pytest
import redis

from dropaudit.report import to_json
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.records import Failure
from support.audits import stored_content, undecided
from support.calls import artifact_request, recorded_request, refusal_of, upload
from support.reports import report_with
from support.services import eventually, server, worker


def cancel(stub: AuditServiceStub, name: str) -> pb.Audit:
    return stub.CancelAudit(pb.CancelAuditRequest(name=name))


def get(stub: AuditServiceStub, name: str) -> pb.Audit:
    return stub.GetAudit(pb.GetAuditRequest(name=name))


def test_a_waiting_audit_is_cancelled_at_once_and_its_watchers_are_told(
    stub: AuditServiceStub, audits: AuditStore
) -> None:
    name = stub.CreateAudit(recorded_request()).name
    cancelled = cancel(stub, name)
    assert cancelled.state == pb.Audit.CANCELLED
    assert cancelled.HasField("end_time")
    *_, last = stub.WatchAudit(pb.WatchAuditRequest(name=name), timeout=10)
    assert last.audit == cancelled == get(stub, name)
    assert audits.claim(name.removeprefix("audits/"), 30.0) is None


def test_the_holder_of_a_running_audit_is_asked_to_stop(stub: AuditServiceStub, audits: AuditStore) -> None:
    name = stub.CreateAudit(recorded_request()).name
    lease = audits.claim(name.removeprefix("audits/"), 30.0)
    assert lease is not None
    assert audits.extend(lease, 30.0)
    assert cancel(stub, name).state == pb.Audit.RUNNING
    assert not audits.extend(lease, 30.0)
    audits.stopped(lease)
    assert get(stub, name).state == pb.Audit.CANCELLED


def test_a_finished_audit_is_returned_as_it_is(stub: AuditServiceStub, audits: AuditStore) -> None:
    for end in ("succeed", "fail"):
        name = stub.CreateAudit(recorded_request()).name
        lease = audits.claim(name.removeprefix("audits/"), 30.0)
        assert lease is not None
        if end == "succeed":
            audits.succeed(lease, to_json(report_with()))
        else:
            audits.fail(lease, Failure(reason="INVALID_MODEL", message="m"))
        before = get(stub, name)
        assert cancel(stub, name) == before


def test_what_does_not_exist_is_not_cancelled(stub: AuditServiceStub) -> None:
    assert refusal_of(lambda: cancel(stub, "audits/none")).reason == "AUDIT_NOT_FOUND"


def test_a_real_worker_stops_within_a_second(redis_url: str, tmp_path: Path) -> None:
    with (
        server(redis_url, tmp_path) as address,
        worker(redis_url, tmp_path),
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        asked = artifact_request(upload(stub, stored_content("lstm-dropout", tmp_path)).name)
        plan = undecided(2_000_000)
        asked.audit.spec.options.CopyFrom(
            pb.AuditOptions(tolerance=plan.tolerance, max_replicates=plan.max_replicates, provider=pb.PROVIDER_CPU)
        )
        # The best of three: what else the machine does only ever adds to a wait.
        assert min(seconds_to_stop(stub, asked) for _ in range(3)) < 1.0
        # The worker goes on with the next one.
        recorded = stub.CreateAudit(recorded_request()).name
        eventually(lambda: get(stub, recorded).state == pb.Audit.SUCCEEDED, "the worker does not go on")


def seconds_to_stop(stub: AuditServiceStub, asked: pb.CreateAuditRequest) -> float:
    """Cancel an audit that is being made; returns how long its watchers wait for the end."""
    name = stub.CreateAudit(asked).name
    events = stub.WatchAudit(pb.WatchAuditRequest(name=name), timeout=60)
    next(event for event in events if event.progress.replicates)
    asked_at = time.monotonic()
    cancel(stub, name)
    *_, last = events
    seconds = time.monotonic() - asked_at
    assert last.audit.state == pb.Audit.CANCELLED
    return seconds


def test_a_finished_audit_says_when_it_expires(redis_url: str, tmp_path: Path) -> None:
    with server(redis_url, tmp_path, retention_days=1) as address, grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        audit = stub.CreateAudit(recorded_request())
        assert not audit.HasField("expire_time")
        audit = cancel(stub, audit.name)
        assert audit.expire_time.ToMilliseconds() - audit.end_time.ToMilliseconds() == 86_400_000


def test_a_full_queue_refuses_and_says_when_to_come_back(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    with server(redis_url, tmp_path, max_queued=2) as address, grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        first = stub.CreateAudit(recorded_request(request_id="first"))
        two = pb.BatchCreateAuditsRequest(requests=[recorded_request()] * 2)
        for call in (lambda: stub.BatchCreateAudits(two), lambda: stub.BatchCreateAudits(two)):
            refusal = refusal_of(call)
            assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
            assert (refusal.facts, refusal.retry_seconds) == ({"limit": "2"}, 10)
        stub.CreateAudit(recorded_request())
        assert refusal_of(lambda: stub.CreateAudit(recorded_request())).reason == "QUEUE_FULL"
        # What is accepted already needs no room.
        assert stub.CreateAudit(recorded_request(request_id="first")) == first
    assert redis_client.zcard("dropaudit:audits") == 2


@pytest.mark.parametrize("batch_first", [True, False])
def test_what_somebody_waits_for_overtakes_what_is_made_in_a_batch(
    redis_url: str, tmp_path: Path, batch_first: bool
) -> None:
    with server(redis_url, tmp_path) as address, grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        kinds = [pb.Audit.BATCH] * 3 + [pb.Audit.INTERACTIVE] * 3
        names: dict[pb.Audit.Priority, list[str]] = {pb.Audit.BATCH: [], pb.Audit.INTERACTIVE: []}
        for kind in kinds if batch_first else kinds[::-1]:
            asked = recorded_request()
            asked.audit.priority = kind
            names[kind].append(stub.CreateAudit(asked).name)
        with worker(redis_url, tmp_path):
            every = [name for found in names.values() for name in found]
            eventually(lambda: all(get(stub, name).state == pb.Audit.SUCCEEDED for name in every), "nothing is made")
        begun = sorted(every, key=lambda name: get(stub, name).start_time.ToMilliseconds())
        assert set(begun[:3]) == set(names[pb.Audit.INTERACTIVE])
