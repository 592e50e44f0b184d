"""Claims about what operators see of workers: numbers at the server, and spans that go on from the caller's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest

from dropaudit_client.local.service import free_port
from dropaudit_models import export
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import artifact_request, refusal_of, upload
from support.services import eventually, server, serving, worker
from support.telemetry import Collector, collecting, documented_fields, families, log_lines, scrape

pytestmark = pytest.mark.system
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PHASES = ("LOADING", "PREPARING", "SAMPLING", "JUDGING")
PARENT = (("traceparent", f"00-{TRACE}-{SPAN}-01"),)


def finished(stub: AuditServiceStub, request: pb.CreateAuditRequest, **fields: Any) -> pb.Audit:
    *_, last = stub.WatchAudit(pb.WatchAuditRequest(name=stub.CreateAudit(request, **fields).name))
    return last.audit


def test_what_workers_have_done_is_told_by_the_server(redis_url: str, tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    with (
        server(redis_url, tmp_path, ready=serving, metrics_listen=metrics) as address,
        worker(redis_url, tmp_path),
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        model = upload(stub, export("lstm-dropout-unscaled", tmp_path).read_bytes()).name
        made = finished(stub, artifact_request(model))
        finished(stub, artifact_request(upload(stub, b"words").name))
        found = scrape(metrics)
    ended = 'dropaudit_audits_finished_total{{provider="{}",reason="{}",state="{}",verdict="{}"}}'
    assert found[ended.format("cpu", "", "SUCCEEDED", "FAIL")] == 1
    assert found[ended.format("", "INVALID_MODEL", "FAILED", "")] == 1
    assert found["dropaudit_replicates_total"] == made.report.execution.replicates > 0
    assert found["dropaudit_workers_lost_total"] == found["dropaudit_leases_expired_total"] == 0
    assert found['dropaudit_prepared_artifacts_total{result="miss"}'] == 1
    assert (found["dropaudit_workers"], found["dropaudit_worker_slots"] >= 1) == (1, True)
    phases = [found[f'dropaudit_audit_phase_seconds_count{{phase="{phase}"}}'] for phase in PHASES]
    assert phases == [1] * len(PHASES)
    assert sum(found[f'dropaudit_audit_phase_seconds_sum{{phase="{phase}"}}'] for phase in PHASES) > 0
    assert found["dropaudit_audit_wait_seconds_count"] == found["dropaudit_audit_run_seconds_count"] == 2
    assert found['dropaudit_audit_run_seconds_bucket{le="1800.0"}'] == 2
    ran = made.end_time.ToDatetime() - made.start_time.ToDatetime()
    assert found["dropaudit_audit_run_seconds_sum"] >= ran.total_seconds() > 0


DOCUMENTED = re.compile(r"^\| `(\w+)` \| (\w+) \|(.*?)\| (?:server|service) \| .+ \|$", re.MULTILINE)


def documented() -> dict[str, tuple[str, set[str]]]:
    """Return the type and the labels of each metric in the table."""
    text = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")
    table = text.split("<!-- metrics -->")[1].split("<!-- /metrics -->")[0]
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in DOCUMENTED.findall(table)}


def test_the_table_of_metrics_is_what_a_server_tells(redis_url: str, tmp_path: Path) -> None:
    metrics = f"127.0.0.1:{free_port()}"
    with (
        server(redis_url, tmp_path, ready=serving, metrics_listen=metrics) as address,
        worker(redis_url, tmp_path),
        worker(redis_url, tmp_path, "beat"),
        grpc.insecure_channel(address) as channel,
    ):
        stub = AuditServiceStub(channel)
        model = upload(stub, export("lstm-dropout", tmp_path).read_bytes()).name
        finished(stub, artifact_request(model))
        refusal_of(lambda: stub.GetAudit(pb.GetAuditRequest(name="audits/none")))
        ticked = "dropaudit_schedule_last_tick_timestamp_seconds"
        eventually(lambda: ticked in scrape(metrics), "no worker looks at what is due")
        told = families(metrics)
    table = documented()
    assert {name: kind for name, (kind, _) in told.items()} == {name: kind for name, (kind, _) in table.items()}
    # Of what has no series nothing is known but its name: there may be no GPU here.
    seen = {name: labels for name, (_, labels) in told.items() if labels is not None}
    assert seen == {name: table[name][1] for name in seen}
    assert set(told) - set(seen) <= {"dropaudit_gpu_memory_used_bytes", "dropaudit_gpu_memory_total_bytes"}


def spans_of(collector: Collector, name: str) -> list[Any]:
    return [span for span in collector.spans if span.name == name]


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@pytest.mark.parametrize("traced", ["server and worker", "worker"])
def test_an_audit_is_traced_from_the_caller_to_the_worker(traced: str, redis_url: str, tmp_path: Path) -> None:
    with collecting() as (collector, url):
        at_server = {"otlp_endpoint": url} if traced == "server and worker" else {}
        with (
            server(redis_url, tmp_path, ready=serving, listen=f"127.0.0.1:{free_port()}", **at_server) as address,
            worker(redis_url, tmp_path, otlp_endpoint=url),
            grpc.insecure_channel(address) as channel,
        ):
            stub = AuditServiceStub(channel)
            model = upload(stub, export("lstm-dropout-unscaled", tmp_path).read_bytes()).name
            made = finished(stub, artifact_request(model), metadata=PARENT)
            failed = finished(stub, artifact_request(upload(stub, b"words").name), metadata=(("traceparent", "words"),))
            eventually(lambda: len(spans_of(collector, "dropaudit audit")) == 2, "the worker sends no spans")
        spans = {attributes(span)["dropaudit.audit"]: span for span in spans_of(collector, "dropaudit audit")}
        created = spans_of(collector, "dropaudit.v1.AuditService/CreateAudit")
    span = spans[made.name.removeprefix("audits/")]
    assert span.trace_id.hex() == TRACE
    expected = SPAN
    if traced == "server and worker":
        (call,) = (each for each in created if each.trace_id.hex() == TRACE)
        assert call.parent_span_id.hex() == SPAN
        expected = call.span_id.hex()
    assert span.parent_span_id.hex() == expected
    told = attributes(span)
    assert (told["dropaudit.state"], told["dropaudit.verdict"], told["dropaudit.attempt"]) == ("SUCCEEDED", "FAIL", 1)
    assert told["dropaudit.replicates"] == made.report.execution.replicates
    bad = spans[failed.name.removeprefix("audits/")]
    assert (bad.status.code, bad.status.message) == (2, "INVALID_MODEL")
    assert bad.trace_id.hex() != TRACE


LOADED = """
import sys
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from dropaudit_client import AuditClient

address, endpoint, path = sys.argv[1:]
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=True)))
trace.set_tracer_provider(provider)
with AuditClient(address) as client, trace.get_tracer("night").start_as_current_span("nightly job"):
    client.audit(path)
provider.shutdown()
"""


def test_one_trace_goes_from_the_calling_program_to_the_phases_of_its_audit(redis_url: str, tmp_path: Path) -> None:
    path = export("lstm-dropout", tmp_path)
    with collecting() as (collector, url):
        with (
            server(redis_url, tmp_path, ready=serving, otlp_endpoint=url) as address,
            worker(redis_url, tmp_path, otlp_endpoint=url),
        ):
            command = [sys.executable, "-c", LOADED, address, url, str(path)]
            subprocess.run(command, check=True, timeout=120)
            eventually(lambda: spans_of(collector, "dropaudit audit"), "the worker sends no spans")
        (job,) = spans_of(collector, "nightly job")
        trace = [span for span in collector.spans if span.trace_id == job.trace_id]
    by_name = {span.name: span for span in trace}
    calls = {f"dropaudit.v1.AuditService/{each}" for each in ("UploadModel", "CreateAudit", "WatchAudit")}
    phases = {f"dropaudit {phase.lower()}" for phase in PHASES}
    assert set(by_name) == {"nightly job", "dropaudit audit", *calls, *phases}
    audit = by_name["dropaudit audit"]
    assert {by_name[each].parent_span_id for each in calls} == {job.span_id}
    assert audit.parent_span_id == by_name["dropaudit.v1.AuditService/CreateAudit"].span_id
    assert {by_name[each].parent_span_id for each in phases} == {audit.span_id}
    begun = [by_name[f"dropaudit {phase.lower()}"].start_time_unix_nano for phase in PHASES]
    assert begun == sorted(begun)
    assert audit.start_time_unix_nano <= begun[0]
    for log in (tmp_path / "server.log", *tmp_path.glob("worker-*.log")):
        lines = log_lines(log)
        assert {field for line in lines for field in line} <= documented_fields()
        told = {line["event"] for line in lines if line.get("trace_id") == job.trace_id.hex()}
        assert told >= ({"accepted", "a call ended"} if log.name == "server.log" else {"the audit is made"})
