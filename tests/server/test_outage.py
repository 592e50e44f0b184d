"""Claims about a server whose Redis is gone, or comes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grpc

from dropaudit_client.local_service import free_port
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.probe import health
from support.calls import recorded_request, refusal_of, upload
from support.services import environment, eventually, redis_server, server


def test_without_redis_calls_are_unavailable_health_says_so_and_both_come_back(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with server(url, tmp_path, health_seconds=0.1) as address, grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        assert health(address) == "NOT_SERVING"
        refusals = [
            refusal_of(lambda: stub.CreateAudit(recorded_request())),
            refusal_of(lambda: stub.GetAudit(pb.GetAuditRequest(name="audits/a"))),
            refusal_of(lambda: list(stub.WatchAudit(pb.WatchAuditRequest(name="audits/a")))),
            refusal_of(lambda: upload(stub, b"content")),
        ]
        for refusal in refusals:
            assert (refusal.code, refusal.reason, refusal.retry_seconds) == ("UNAVAILABLE", "STORE_UNAVAILABLE", 1)
            assert refusal.message == "Redis does not answer; check that it runs, and try again"
        with redis_server(tmp_path / "redis", port):
            eventually(lambda: health(address) == "SERVING", "the server does not come back")
            audit = stub.CreateAudit(recorded_request())
            assert audit.state == pb.Audit.QUEUED
            watching = iter(stub.WatchAudit(pb.WatchAuditRequest(name=audit.name)))
            assert next(watching).state == pb.Audit.QUEUED
        eventually(lambda: health(address) == "NOT_SERVING", "the server does not notice")
        assert refusal_of(lambda: next(watching)).code == "UNAVAILABLE"


def test_the_probe_of_the_image_follows_the_health_service(redis_url: str, tmp_path: Path) -> None:
    def probe(address: str) -> int:
        command = [sys.executable, "-m", "dropaudit_server.probe"]
        return subprocess.run(
            command, env=environment(redis_url, tmp_path, listen=address), timeout=30, check=False
        ).returncode

    with server(redis_url, tmp_path) as address:
        assert probe(address) == 0
    assert probe(address) == 1
