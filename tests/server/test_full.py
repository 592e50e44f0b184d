"""Claims about a service whose Redis or disk is full: callers are told, and it goes on when there is room."""

from __future__ import annotations

from pathlib import Path

import grpc
import numpy as np
import redis

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.connection import connect
from support.calls import recorded_request, refusal_of, upload
from support.records import records
from support.services import eventually, redis_server, server, worker
from support.tiny_disk import tiny_disk


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
