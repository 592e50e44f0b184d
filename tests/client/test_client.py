"""Both clients through a real channel, against a servicer that remembers what it was sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.json_format import ParseDict
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from dropaudit.errors import InvalidTensor
from dropaudit.plan import Phase, Plan, Progress, Role
from dropaudit.report import Execution, Interval, Output, Report, Verdict, to_json
from dropaudit.subjects import ArtifactSubject, RecordedSubject
from dropaudit_client import AsyncAuditClient, AuditClient, AuditNotMade, ServiceError, ServiceUnavailable
from dropaudit_client.resources import AuditState, Finished, Glob, Progressed, StateChanged
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1 import audit_pb2_grpc

REPORT = Report(
    verdict=Verdict.PASS,
    summary="Right.",
    outputs=(Output(name="y", shape=(5, 1, 10), scale_factor=Interval(estimate=0.0, lower=-0.1, upper=0.1)),),
    execution=Execution(provider="cpu"),
)


class Recorder(audit_pb2_grpc.AuditServiceServicer):
    """Answers every call, and keeps the last requests by method."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self.fails = False
        self.unavailable_calls = 0

    def UploadModel(self, request_iterator: Any, context: Any) -> pb.Model:  # noqa: N802
        requests = list(request_iterator)
        content = b"".join(request.chunk for request in requests)
        self.seen["upload"] = requests
        digest = hashlib.sha256(content).hexdigest()
        return pb.Model(name=f"models/{digest}", sha256=digest, size_bytes=len(content))

    def CreateAudit(self, request: pb.CreateAuditRequest, context: Any) -> pb.Audit:  # noqa: N802
        self.seen.setdefault("create", []).append(request)
        if self.unavailable_calls:
            self.unavailable_calls -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "no Redis")
        return pb.Audit(name="audits/1", state=pb.Audit.QUEUED, labels=request.audit.labels)

    def GetAudit(self, request: pb.GetAuditRequest, context: Any) -> pb.Audit:  # noqa: N802
        info = AnyMessage()
        info.Pack(error_details_pb2.ErrorInfo(reason="AUDIT_NOT_FOUND", metadata={"name": request.name}))
        status = status_pb2.Status(code=5, message="there is no such audit", details=[info])
        context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError

    def WatchAudit(self, request: pb.WatchAuditRequest, context: Any) -> Iterator[pb.AuditEvent]:  # noqa: N802
        self.seen["watch"] = request
        yield pb.AuditEvent(sequence=1, state=pb.Audit.RUNNING)
        yield pb.AuditEvent(sequence=2, progress=pb.Progress(phase=pb.Progress.SAMPLING, replicates=64))
        failed = pb.Audit(
            name=request.name, state=pb.Audit.FAILED, failure=pb.Failure(reason="WORKER_LOST", message="It was lost.")
        )
        made = pb.Audit(name=request.name, state=pb.Audit.SUCCEEDED, report=ParseDict(to_json(REPORT), pb.Report()))
        yield pb.AuditEvent(sequence=3, audit=failed if self.fails else made)

    def CreateSuite(self, request: pb.CreateSuiteRequest, context: Any) -> pb.Suite:  # noqa: N802
        suite = request.suite
        suite.name = f"suites/{request.suite_id}"
        return suite


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()  # type: ignore[abstract]  # what no test calls answers UNIMPLEMENTED


@pytest.fixture
def address(recorder: Recorder) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4))
    audit_pb2_grpc.add_AuditServiceServicer_to_server(recorder, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
def client(address: str) -> Iterator[AuditClient]:
    with AuditClient(address) as client:
        yield client


RECORDED = RecordedSubject(inference=np.ones((2, 3), ">f4"), train=(np.zeros((2, 3), np.float32),), keep_prob=0.5)


def test_an_upload_tells_digest_and_length_first_and_arrives_whole(client: AuditClient, recorder: Recorder) -> None:
    content = bytes(range(256)) * 10_000
    steps: list[tuple[int, int]] = []
    model = client.upload_model(content, display_name="m.onnx", progress=lambda *step: steps.append(step))
    assert model.sha256 == hashlib.sha256(content).hexdigest()
    assert model.size_bytes == len(content)
    metadata = recorder.seen["upload"][0].metadata
    assert (metadata.display_name, metadata.sha256, metadata.size_bytes) == ("m.onnx", model.sha256, len(content))
    assert steps[-1] == (len(content), len(content))


def test_recorded_arrays_travel_little_endian_with_their_plan(client: AuditClient, recorder: Recorder) -> None:
    audit = client.create_audit(RECORDED, Plan(alpha=0.01), labels={"team": "a"})
    (request,) = recorder.seen["create"]
    sent = request.audit.spec.recorded.inference
    assert (sent.datatype, list(sent.shape)) == ("FP32", [2, 3])
    assert np.frombuffer(sent.raw_contents, "<f4").tolist() == [1.0] * 6
    assert request.audit.spec.options.alpha == 0.01
    assert (audit.state, dict(audit.labels)) == (AuditState.QUEUED, {"team": "a"})


def test_each_audit_gets_its_own_request_id_unless_the_caller_has_one(client: AuditClient, recorder: Recorder) -> None:
    for request_id in (None, None, "mine"):
        client.create_audit(RECORDED, request_id=request_id)
    first, second, third = (request.request_id for request in recorder.seen["create"])
    assert first != second
    assert third == "mine"


def test_arrays_without_a_wire_form_are_refused(client: AuditClient) -> None:
    with pytest.raises(InvalidTensor):
        client.create_audit(RecordedSubject(inference=np.array(["a"]), train=(np.array(["b"]),)))


def test_an_unavailable_server_is_asked_again_with_the_same_request_id(client: AuditClient, recorder: Recorder) -> None:
    recorder.unavailable_calls = 2
    client.create_audit(RECORDED)
    assert len({request.request_id for request in recorder.seen["create"]}) == 1
    assert len(recorder.seen["create"]) == 3


def test_events_are_typed_and_end_with_the_finished_audit(client: AuditClient, recorder: Recorder) -> None:
    state, progress, finished = client.watch("audits/1", after_sequence=4)
    assert isinstance(state, StateChanged)
    assert isinstance(progress, Progressed)
    assert progress.progress == Progress(phase=Phase.SAMPLING, replicates=64)
    assert isinstance(finished, Finished)
    assert finished.audit.report == REPORT
    assert recorder.seen["watch"].after_sequence == 4


def test_errors_carry_the_server_s_reason_and_facts(client: AuditClient) -> None:
    with pytest.raises(ServiceError, match="there is no such audit") as caught:
        client.get_audit("audits/9")
    assert (caught.value.reason, caught.value.code) == ("AUDIT_NOT_FOUND", "NOT_FOUND")
    assert caught.value.facts == {"name": "audits/9"}


def test_no_server_is_service_unavailable() -> None:
    with AuditClient("127.0.0.1:1") as client, pytest.raises(ServiceUnavailable, match="no server answers at"):
        client.get_audit("audits/1")


def test_one_line_uploads_creates_watches_and_returns_the_report(client: AuditClient, recorder: Recorder) -> None:
    seen: list[Progress] = []
    assert client.audit(ArtifactSubject(b"model", Role.TRAIN), progress=seen.append) == REPORT
    (request,) = recorder.seen["create"]
    assert request.audit.spec.artifact.model == f"models/{hashlib.sha256(b'model').hexdigest()}"
    assert request.audit.spec.artifact.role == pb.TRAIN
    assert [progress.replicates for progress in seen] == [64]


def test_an_audit_that_was_not_made_raises_its_failure(client: AuditClient, recorder: Recorder) -> None:
    recorder.fails = True
    with pytest.raises(AuditNotMade, match=r"It was lost\.") as caught:
        client.audit(b"model")
    assert caught.value.reason == "WORKER_LOST"


def test_a_suite_keeps_its_members_and_its_schedule(client: AuditClient) -> None:
    suite = client.create_suite("nightly", [Glob("lstm-*.onnx", Role.TRAIN)], cron="0 3 * * *")
    assert (suite.name, suite.cron) == ("suites/nightly", "0 3 * * *")
    assert suite.members == (Glob("lstm-*.onnx", Role.TRAIN),)


async def test_the_asynchronous_client_gives_the_same_report(address: str) -> None:
    async with AsyncAuditClient(address) as client:
        assert await client.audit(RECORDED) == REPORT
        with pytest.raises(ServiceError) as caught:
            await client.get_audit("audits/9")
    assert caught.value.reason == "AUDIT_NOT_FOUND"
