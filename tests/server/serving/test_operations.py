"""Claims about a server in operation: how it stops, what it logs, counts and traces."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dropaudit_client.local.service import free_port
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import metadata, recorded_request, refusal_of, upload
from support.services import environment, eventually, redis_server, server, server_process, serving
from support.telemetry import Collector, collecting, scrape


def test_a_server_that_stops_ends_no_call_and_tells_watchers_to_come_back(redis_url: str, tmp_path: Path) -> None:
    waiting: queue.Queue[pb.UploadModelRequest | None] = queue.Queue()
    with (
        server_process(redis_url, tmp_path, ready=serving) as (started, address),
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        audit = stub.CreateAudit(recorded_request())
        watching = stub.WatchAudit(pb.WatchAuditRequest(name=audit.name))
        assert next(watching).state == pb.Audit.QUEUED
        uploading = stub.UploadModel.future(iter(waiting.get, None))
        waiting.put(metadata(display_name="m.onnx"))
        waiting.put(pb.UploadModelRequest(chunk=b"half"))
        eventually(lambda: list((tmp_path / "blobs" / "incoming").glob("*")), "the upload does not begin")
        os.kill(started.pid, signal.SIGTERM)
        told = refusal_of(lambda: next(watching))
        assert (told.code, told.reason, told.retry_seconds) == ("UNAVAILABLE", "SERVER_STOPPING", 1)
        assert started.exit_status() is None
        waiting.put(pb.UploadModelRequest(chunk=b" and half"))
        waiting.put(None)
        assert uploading.result(10).size_bytes == 13
        eventually(lambda: started.exit_status() is not None, "the server does not end")
        assert started.exit_status() == 0


def log_of(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "server.log").read_text().splitlines()]


def test_every_call_is_a_line_with_its_id_and_its_code(redis_url: str, tmp_path: Path) -> None:
    with server(redis_url, tmp_path) as address, grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        audit = stub.CreateAudit(recorded_request(), metadata=(("x-request-id", "mine"),))
        refusal = refusal_of(lambda: stub.GetAudit(pb.GetAuditRequest(name="audits/none")))
        assert refusal.request_id
    lines = log_of(tmp_path)
    mine = {line["event"]: line for line in lines if line.get("request") == "mine"}
    assert set(mine) == {"accepted", "a call ended"}
    accepted, ended = mine["accepted"], mine["a call ended"]
    assert accepted["ids"] == [audit.name.removeprefix("audits/")]
    assert (ended["method"], ended["code"]) == ("CreateAudit", "OK")
    (other,) = [line for line in lines if line.get("request") == refusal.request_id]
    assert (other["method"], other["code"]) == ("GetAudit", "NOT_FOUND")
    assert not [line for line in lines if line.get("method") == "Check"]


def test_metrics_count_calls_audits_and_watchers(redis_url: str, tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    with (
        server(redis_url, tmp_path, metrics_listen=metrics) as address,
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        audit = stub.CreateAudit(recorded_request())
        stub.CreateAudit(recorded_request())
        stub.CancelAudit(pb.CancelAuditRequest(name=audit.name))
        refusal_of(lambda: stub.GetAudit(pb.GetAuditRequest(name="audits/none")))
        watching = stub.WatchAudit(pb.WatchAuditRequest(name=stub.CreateAudit(recorded_request()).name))
        next(watching)
        found = scrape(metrics)
        assert found['dropaudit_calls_total{code="OK",method="CreateAudit"}'] == 3
        assert found['dropaudit_calls_total{code="NOT_FOUND",method="GetAudit"}'] == 1
        assert found['dropaudit_call_seconds_count{method="CreateAudit"}'] == 3
        assert found['dropaudit_audits{state="QUEUED"}'] == 2
        assert found['dropaudit_audits{state="CANCELLED"}'] == 1
        assert (found["dropaudit_watchers"], found['dropaudit_calls_open{method="WatchAudit"}']) == (1, 1)
        watching.cancel()
        eventually(lambda: scrape(metrics)["dropaudit_watchers"] == 0, "a watcher that left is still counted")
        cancelled = 'dropaudit_calls_total{code="CANCELLED",method="WatchAudit"}'
        eventually(lambda: scrape(metrics).get(cancelled) == 1, "a watch that was broken off is not counted")


def test_a_redis_that_is_gone_is_told_at_the_next_scrape_and_nothing_that_it_would_know(tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        with redis_server(tmp_path / "redis") as url:
            stack.enter_context(server(url, tmp_path, ready=serving, metrics_listen=metrics))
            before = scrape(metrics)
        after = scrape(metrics)
    assert (before["dropaudit_redis_up"], before["dropaudit_queue_depth"]) == (1, 0)
    assert (after["dropaudit_redis_up"], after["dropaudit_watchers"], "dropaudit_queue_depth" in after) == (0, 0, False)


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    with collecting() as found:
        yield found


def test_calls_are_traced_where_an_endpoint_is_configured(
    collector: tuple[Collector, str], redis_url: str, tmp_path: Path
) -> None:
    found, endpoint = collector
    trace = "0af7651916cd43dd8448eb211c80319c"
    with server(redis_url, tmp_path, otlp_endpoint=endpoint) as address, grpc.insecure_channel(address) as channel:
        parent = (("traceparent", f"00-{trace}-b7ad6b7169203331-01"),)
        AuditServiceStub(channel).ListModels(pb.ListModelsRequest(), metadata=parent)
    spans = {span.name: span for span in found.spans}
    span = spans["dropaudit.v1.AuditService/ListModels"]
    assert span.trace_id.hex() == trace


def test_without_an_endpoint_nothing_that_sends_traces_is_loaded() -> None:
    script = (
        "import sys, dropaudit_server.serving.server; print([n for n in sys.modules if 'opentelemetry.exporter' in n])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "[]\n"


@pytest.mark.parametrize("value", ["nonsense", "127.0.0.1:99999"])
def test_metrics_that_cannot_be_served_are_one_sentence(value: str, redis_url: str, tmp_path: Path) -> None:
    environ = environment(redis_url, tmp_path, metrics_listen=value)
    command = [sys.executable, "-m", "dropaudit_server"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert (
        ended.stderr == "dropaudit-server: DROPAUDIT_METRICS_LISTEN: must be host:port, with a port from 0 to 65535\n"
    )


def test_calls_wait_no_longer_than_their_deadline(redis_url: str, tmp_path: Path) -> None:
    with server(redis_url, tmp_path) as address, grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        name = stub.CreateAudit(recorded_request()).name
        watch = pb.WatchAuditRequest(name=name)
        assert refusal_of(lambda: list(stub.WatchAudit(watch, timeout=0.5))).code == "DEADLINE_EXCEEDED"
        model = upload(stub, b"content").name
        inspect = pb.InspectModelRequest(name=model)
        assert refusal_of(lambda: stub.InspectModel(inspect, timeout=0.5)).code == "DEADLINE_EXCEEDED"


def test_metrics_are_for_those_who_bring_the_token(redis_url: str, tmp_path: Path) -> None:
    metrics, token = f"127.0.0.1:{free_port()}", tmp_path / "token"
    token.write_text("secret-of-metrics\n")
    with server(redis_url, tmp_path, metrics_listen=metrics, metrics_token_file=token):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret-of-metrics"}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                read(metrics, headers)
            assert refused.value.code == 401
            refused.value.close()
        assert "dropaudit_watchers 0.0" in read(metrics, {"Authorization": "Bearer secret-of-metrics"})
    assert "secret-of-metrics" not in (tmp_path / "server.log").read_text()


def read(address: str, headers: dict[str, str]) -> str:
    asked = urllib.request.Request(f"http://{address}/metrics", headers=headers)
    with urllib.request.urlopen(asked, timeout=5) as answer:
        return str(answer.read().decode())


def test_metrics_without_a_token_beyond_this_machine_are_said_to_be_open(redis_url: str, tmp_path: Path) -> None:
    with server(redis_url, tmp_path, metrics_listen=f"0.0.0.0:{free_port()}"):
        pass
    assert "anyone who can reach this address may read metrics" in (tmp_path / "server.log").read_text()


def test_a_token_of_metrics_that_cannot_be_read_is_one_sentence(redis_url: str, tmp_path: Path) -> None:
    environ = environment(redis_url, tmp_path, metrics_listen=f"127.0.0.1:{free_port()}", metrics_token_file="/none")
    ended = subprocess.run(
        [sys.executable, "-m", "dropaudit_server"],
        env={**os.environ, **environ}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "DROPAUDIT_METRICS_TOKEN_FILE: cannot be read" in ended.stderr


def test_health_can_be_watched_and_serves_clients_that_look_at_it(redis_url: str, tmp_path: Path) -> None:
    service = json.dumps({"healthCheckConfig": {"serviceName": ""}, "loadBalancingConfig": [{"round_robin": {}}]})
    with server(redis_url, tmp_path, ready=serving) as address:
        with grpc.insecure_channel(address) as channel:
            stub: Any = health_pb2_grpc.HealthStub(channel)
            watch = stub.Watch(health_pb2.HealthCheckRequest(), timeout=30)
            assert next(iter(watch)).status == health_pb2.HealthCheckResponse.SERVING
            watch.cancel()
        with grpc.insecure_channel(address, options=[("grpc.service_config", service)]) as channel:
            asked = pb.ListModelsRequest()
            assert AuditServiceStub(channel).ListModels(asked, timeout=30, wait_for_ready=True) is not None


async def test_more_may_begin_to_watch_at_once_than_grpc_lets_wait(redis_url: str, tmp_path: Path) -> None:
    count = 1500
    with server(redis_url, tmp_path, ready=serving) as address:
        async with grpc.aio.insecure_channel(address) as channel:
            stub: Any = AuditServiceStub(channel)
            name = (await stub.CreateAudit(recorded_request())).name

            async def watched() -> list[str | None]:
                events = stub.WatchAudit(pb.WatchAuditRequest(name=name))
                return [event.WhichOneof("event") async for event in events]

            watches = [asyncio.create_task(watched()) for _ in range(count)]
            await stub.CancelAudit(pb.CancelAuditRequest(name=name))
            assert await asyncio.gather(*watches) == [["state", "audit"]] * count
