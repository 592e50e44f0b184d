"""Claims about a service whose Redis or disk is full: callers are told, and it goes on when there is room."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import redis

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.redis.connection import connect
from support.calls import Refusal, recorded_request, refusal_of, upload
from support.records import records
from support.services import eventually, redis_server, server, worker
from support.tiny_disk import tiny_disk

# More than others on this machine write meanwhile.
ROOM = 64 << 20


def test_a_full_redis_refuses_what_is_new_and_everything_goes_on_once_there_is_room(tmp_path: Path) -> None:
    with (
        redis_server(tmp_path / "redis") as url,
        connect(url) as client,
        server(url, tmp_path) as address,
        worker(url, tmp_path, announce_seconds=1, reconcile_seconds=0.5),
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        made = stub.CreateAudit(recorded_request()).name
        eventually(lambda: succeeded(stub, made), "nothing is made")
        before = records(client)
        client.config_set("maxmemory", "1kb")
        refusals = [
            refusal_of(lambda: stub.CreateAudit(recorded_request())),
            refusal_of(lambda: stub.BatchCreateAudits(pb.BatchCreateAuditsRequest(requests=[recorded_request()] * 2))),
            refusal_of(lambda: upload(stub, b"content")),
        ]
        assert {(each.code, each.reason) for each in refusals} == {("RESOURCE_EXHAUSTED", "STORAGE_FULL")}
        assert records(client) - before == set()
        assert stub.GetAudit(pb.GetAuditRequest(name=made)).state == pb.Audit.SUCCEEDED
        client.config_set("maxmemory", "0")
        again = stub.CreateAudit(recorded_request()).name
        eventually(lambda: succeeded(stub, again), "the worker does not go on")


def test_a_worker_stays_whose_redis_refuses_even_its_messages(tmp_path: Path) -> None:
    with (
        redis_server(tmp_path / "redis") as url,
        connect(url) as client,
        server(url, tmp_path) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        made = [stub.CreateAudit(recorded_request()).name for _ in range(3)]
        client.config_set("maxmemory", "1kb")
        with worker(url, tmp_path, announce_seconds=1, reconcile_seconds=0.5) as started:
            eventually(lambda: "memory" in started.log.read_text(encoding="utf-8"), "nothing is refused")
            client.config_set("maxmemory", "0")
            eventually(lambda: all(succeeded(stub, each) for each in made), "the worker does not go on")
            assert started.exit_status() is None


def test_little_room_on_the_disk_under_redis_refuses_what_is_new_and_lets_the_rest_end(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as url, connect(url) as client:
        disk = os.statvfs(tmp_path / "redis")
        reserve = disk.f_bavail * disk.f_frsize - ROOM
        seen: dict[str, Any] = {"redis_folder": tmp_path / "redis", "redis_reserve_bytes": reserve}
        with server(url, tmp_path, **seen) as address, grpc.insecure_channel(address) as channel:
            stub = AuditServiceStub(channel)
            made = stub.CreateAudit(recorded_request()).name
            before = records(client)
            suite = pb.Suite(members=[pb.SuiteMember(glob=pb.Glob(pattern="*"))])
            with open(tmp_path / "filler", "wb") as filler:
                os.posix_fallocate(filler.fileno(), 0, 2 * ROOM)
                refusals = [
                    refusal_of(lambda: stub.CreateAudit(recorded_request())),
                    refusal_of(lambda: upload(stub, b"content")),
                    refusal_of(lambda: stub.CreateSuite(pb.CreateSuiteRequest(suite=suite, suite_id="nightly"))),
                ]
                assert {(each.code, each.reason) for each in refusals} == {("RESOURCE_EXHAUSTED", "STORAGE_FULL")}
                assert "disk under Redis" in refusals[0].message
                assert records(client) - before == set()
                with worker(url, tmp_path, **seen):
                    eventually(lambda: succeeded(stub, made), "what was accepted is not made")
            (tmp_path / "filler").unlink()
            assert stub.CreateAudit(recorded_request()).state == pb.Audit.QUEUED


def fill(stub: AuditServiceStub) -> tuple[list[str], Refusal]:
    """Ask for audits until one is refused; return the names of those before, and the refusal."""
    accepted: list[str] = []
    refusal = refusal_of(lambda: accepted.extend(stub.CreateAudit(recorded_request()).name for _ in range(999)))
    assert accepted
    return accepted, refusal


def listed(stub: AuditServiceStub) -> set[str]:
    return {each.name for each in stub.ListAudits(pb.ListAuditsRequest(page_size=1000)).audits}


def test_a_redis_on_a_full_disk_that_writes_now_and_then_refuses_what_is_new(tmp_path: Path) -> None:
    with (
        tiny_disk(tmp_path / "redis"),
        redis_server(tmp_path / "redis") as url,
        connect(url) as client,
        server(url, tmp_path) as address,
        grpc.insecure_channel(address) as channel,
    ):
        client.config_set("appendfsync", "everysec")
        stub = AuditServiceStub(channel)
        accepted, refusal = fill(stub)
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL")
        assert listed(stub) == set(accepted)


def test_a_redis_on_a_full_disk_that_writes_always_ends_and_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    with tiny_disk(small):
        with (
            redis_server(small) as url,
            server(url, tmp_path) as address,
            grpc.insecure_channel(address) as channel,
        ):
            accepted, refusal = fill(AuditServiceStub(channel))
            assert (refusal.code, refusal.reason) == ("UNAVAILABLE", "STORE_UNAVAILABLE")
        shutil.copytree(small, large)
    with (
        redis_server(large) as url,
        server(url, tmp_path) as address,
        grpc.insecure_channel(address) as channel,
    ):
        assert listed(AuditServiceStub(channel)) == set(accepted)


def test_a_full_disk_refuses_tensors_and_leaves_no_audit(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    with (
        tiny_disk(tmp_path / "blobs"),
        server(redis_url, tmp_path) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        refusal = refusal_of(lambda: [stub.CreateAudit(large_request(seed)) for seed in range(40)])
        assert (refusal.code, refusal.reason) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL")
        accepted = redis_client.zcard("dropaudit:audits")
        assert accepted < 40
        stored = {path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()}
        referred = {str(each).rpartition(":")[2] for each in redis_client.scan_iter("dropaudit:refs:*")}
        assert stored == referred


def large_request(seed: int) -> pb.CreateAuditRequest:
    """Ask for an audit of tensors that no compression makes small."""
    rng = np.random.default_rng(seed)
    asked = recorded_request()
    values = rng.standard_normal(2000).astype(np.float32)
    asked.audit.spec.recorded.inference.shape[:] = [2000]
    asked.audit.spec.recorded.inference.raw_contents = values.tobytes()
    asked.audit.spec.recorded.train[0].shape[:] = [2000]
    asked.audit.spec.recorded.train[0].raw_contents = (2 * values).tobytes()
    return asked


def succeeded(stub: AuditServiceStub, name: str) -> bool:
    return bool(stub.GetAudit(pb.GetAuditRequest(name=name)).state == pb.Audit.SUCCEEDED)
