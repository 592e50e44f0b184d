"""Claims about a server whose Redis is gone, or comes back."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc

from dropaudit_client.local.service import free_port
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.probe import health
from support.calls import METHODS, artifact_request, recorded_request, refusal_of, upload
from support.services import environment, eventually, redis_server, server

MODEL = f"models/{'a' * 64}"
SUITE = pb.Suite(name="suites/a", members=[pb.SuiteMember(glob=pb.Glob(pattern="*"))])


def every_call(stub: AuditServiceStub) -> dict[str, Callable[[], object]]:
    """Return a call of each method that is refused for nothing but what is not there."""
    return {
        "UploadModel": lambda: upload(stub, b"content"),
        "GetModel": lambda: stub.GetModel(pb.GetModelRequest(name=MODEL)),
        "ListModels": lambda: stub.ListModels(pb.ListModelsRequest()),
        "DownloadModel": lambda: list(stub.DownloadModel(pb.DownloadModelRequest(name=MODEL))),
        "DeleteModel": lambda: stub.DeleteModel(pb.DeleteModelRequest(name=MODEL)),
        "InspectModel": lambda: stub.InspectModel(pb.InspectModelRequest(name=MODEL)),
        "CreateAudit": lambda: stub.CreateAudit(recorded_request()),
        "BatchCreateAudits": lambda: stub.BatchCreateAudits(
            pb.BatchCreateAuditsRequest(requests=[artifact_request(MODEL)])
        ),
        "GetAudit": lambda: stub.GetAudit(pb.GetAuditRequest(name="audits/a")),
        "ListAudits": lambda: stub.ListAudits(pb.ListAuditsRequest()),
        "WatchAudit": lambda: list(stub.WatchAudit(pb.WatchAuditRequest(name="audits/a"))),
        "CancelAudit": lambda: stub.CancelAudit(pb.CancelAuditRequest(name="audits/a")),
        "DeleteAudit": lambda: stub.DeleteAudit(pb.DeleteAuditRequest(name="audits/a")),
        "CreateSuite": lambda: stub.CreateSuite(pb.CreateSuiteRequest(suite=SUITE)),
        "GetSuite": lambda: stub.GetSuite(pb.GetSuiteRequest(name="suites/a")),
        "ListSuites": lambda: stub.ListSuites(pb.ListSuitesRequest()),
        "UpdateSuite": lambda: stub.UpdateSuite(pb.UpdateSuiteRequest(suite=SUITE)),
        "DeleteSuite": lambda: stub.DeleteSuite(pb.DeleteSuiteRequest(name="suites/a")),
        "RunSuite": lambda: stub.RunSuite(pb.RunSuiteRequest(name="suites/a")),
        "GetRun": lambda: stub.GetRun(pb.GetRunRequest(name="suites/a/runs/b")),
        "ListModelNames": lambda: stub.ListModelNames(pb.ListModelNamesRequest()),
        "GetModelName": lambda: stub.GetModelName(pb.GetModelNameRequest(display_name="a")),
        "DeleteModelName": lambda: stub.DeleteModelName(pb.DeleteModelNameRequest(display_name="a")),
        "ListModelVersions": lambda: stub.ListModelVersions(pb.ListModelVersionsRequest(display_name="a")),
        "SetModelAlias": lambda: stub.SetModelAlias(pb.SetModelAliasRequest(display_name="a", alias="b", version=1)),
        "DeleteModelAlias": lambda: stub.DeleteModelAlias(pb.DeleteModelAliasRequest(display_name="a", alias="b")),
        "GetModelHistory": lambda: stub.GetModelHistory(pb.GetModelHistoryRequest(display_name="a")),
        "PauseSuite": lambda: stub.PauseSuite(pb.PauseSuiteRequest(name="suites/a")),
        "ResumeSuite": lambda: stub.ResumeSuite(pb.ResumeSuiteRequest(name="suites/a")),
        "PreviewSuite": lambda: stub.PreviewSuite(pb.PreviewSuiteRequest(name="suites/a")),
        "WatchRun": lambda: list(stub.WatchRun(pb.WatchRunRequest(name="suites/a/runs/b"))),
        "CancelRun": lambda: stub.CancelRun(pb.CancelRunRequest(name="suites/a/runs/b")),
        "CompareRuns": lambda: stub.CompareRuns(pb.CompareRunsRequest(name="suites/a/runs/b")),
        "ListDeliveries": lambda: stub.ListDeliveries(pb.ListDeliveriesRequest(parent="suites/a")),
        "Redeliver": lambda: stub.Redeliver(pb.RedeliverRequest(name="suites/a/deliveries/b")),
        "RenderReport": lambda: list(
            stub.RenderReport(pb.RenderReportRequest(name="suites/a/runs/b", form=pb.RenderReportRequest.HTML))
        ),
        "ListRuns": lambda: stub.ListRuns(pb.ListRunsRequest(parent="suites/a")),
    }


# By what a call names. What is made, listed or asked of nothing has nothing to miss.
NOT_FOUND = {
    "AUDIT_NOT_FOUND": ("GetAudit", "WatchAudit", "CancelAudit", "DeleteAudit"),
    "MODEL_NOT_FOUND": ("GetModel", "DownloadModel", "DeleteModel", "InspectModel", "BatchCreateAudits"),
    "SUITE_NOT_FOUND": ("GetSuite", "UpdateSuite", "DeleteSuite", "RunSuite", "ListRuns"),
    "RUN_NOT_FOUND": ("GetRun",),
}


def test_what_a_call_names_and_is_not_there_is_not_found(stub: AuditServiceStub) -> None:
    calls = every_call(stub)
    for reason, names in NOT_FOUND.items():
        for name in names:
            refusal = refusal_of(calls[name])
            assert (name, refusal.code, refusal.reason) == (name, "NOT_FOUND", reason)


def test_without_redis_calls_are_unavailable_health_says_so_and_both_come_back(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}/0"
    with server(url, tmp_path, health_seconds=0.1) as address, grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        assert health(address) == "NOT_SERVING"
        calls = every_call(stub)
        assert set(calls) == set(METHODS)
        for name, call in calls.items():
            refusal = refusal_of(call)
            assert (name, refusal.code, refusal.reason) == (name, "UNAVAILABLE", "STORE_UNAVAILABLE")
            assert refusal.retry_seconds == 1
            assert refusal.message == "Redis does not answer; check that it runs, and try again"
        with redis_server(tmp_path / "redis", port):
            eventually(lambda: health(address) == "SERVING", "the server does not come back")
            audit = stub.CreateAudit(recorded_request())
            assert audit.state == pb.Audit.QUEUED
            watching = iter(stub.WatchAudit(pb.WatchAuditRequest(name=audit.name)))
            assert next(watching).state == pb.Audit.QUEUED
        eventually(lambda: health(address) == "NOT_SERVING", "the server does not notice")
        assert refusal_of(lambda: next(watching)).code == "UNAVAILABLE"


def test_the_probe_of_the_image_follows_the_health_service_and_reads_no_other_file(
    redis_url: str, tmp_path: Path
) -> None:
    def probe(address: str) -> int:
        command = [sys.executable, "-m", "dropaudit_server.probe"]
        # Spoilt while the server runs, which goes on with the tokens that it has.
        environ = environment(redis_url, tmp_path, listen=address, tokens_file=tmp_path / "none.json")
        return subprocess.run(command, env=environ, timeout=30, check=False).returncode

    with server(redis_url, tmp_path) as address:
        assert probe(address) == 0
    assert probe(address) == 1
