"""Claims about what an operator lets requests ask for: limits, and models by URI."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest
import redis

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import artifact_request, recorded_request, refusal_of, tensor, upload
from support.records import records
from support.services import server

MODEL = f"models/{'a' * 64}"
LIMITS: dict[str, Any] = {
    "max_batch": 2,
    "max_labels": 1,
    "max_replicates": 100,
    "max_tensors": 2,
    "max_tensor_bytes": 80,
}
MESSAGE_BYTES = 100_000


@pytest.fixture(scope="module")
def strict_server(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that takes little, and models by URI from one folder and one bucket."""
    prefixes = "file:///srv/models, s3://bucket/team"
    folder = tmp_path_factory.mktemp("strict")
    given: dict[str, Any] = {"max_model_bytes": 1000, "max_message_bytes": MESSAGE_BYTES, "model_prefixes": prefixes}
    with server(shared_redis, folder, **LIMITS, **given) as address:
        yield address


@pytest.fixture
def strict(strict_server: str, redis_url: str) -> Iterator[AuditServiceStub]:
    assert redis_url
    with grpc.insecure_channel(strict_server) as channel:
        yield AuditServiceStub(channel)


def with_inputs(count: int) -> pb.CreateAuditRequest:
    asked = artifact_request(MODEL)
    tensors = [tensor(np.zeros(1, np.float32), "FP32", f"x{number}") for number in range(count)]
    asked.audit.spec.artifact.inputs.tensors.extend(tensors)
    return asked


def with_archive(**arrays: Any) -> pb.CreateAuditRequest:
    asked, buffer = artifact_request(MODEL), io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    asked.audit.spec.artifact.inputs.npz = buffer.getvalue()
    return asked


def with_labels(count: int) -> pb.CreateAuditRequest:
    asked = artifact_request(MODEL)
    asked.audit.labels.update({f"key{number}": "value" for number in range(count)})
    return asked


def with_replicates(count: int) -> pb.CreateAuditRequest:
    asked = artifact_request(MODEL)
    asked.audit.spec.options.max_replicates = count
    return asked


OVER: dict[str, tuple[pb.CreateAuditRequest, str]] = {
    "labels": (with_labels(2), "audit.labels"),
    "replicates": (with_replicates(101), "audit.spec.options.max_replicates"),
    "inputs": (with_inputs(3), "audit.spec.artifact.inputs.tensors"),
    "arrays": (with_archive(x=np.zeros(1), y=np.zeros(1), z=np.zeros(1)), "audit.spec.artifact.inputs.npz"),
    "unpacked bytes": (with_archive(x=np.zeros(1000)), "audit.spec.artifact.inputs.npz"),
    "recorded outputs": (recorded_request([np.zeros(50, np.float32)] * 2), "audit.spec.recorded.train"),
}


@pytest.mark.parametrize(("asked", "path"), OVER.values(), ids=OVER)
def test_what_is_over_a_limit_is_refused_with_the_limit(
    strict: AuditServiceStub, stub: AuditServiceStub, asked: pb.CreateAuditRequest, path: str
) -> None:
    refusal = refusal_of(lambda: strict.CreateAudit(asked))
    assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", [path])
    assert any(str(limit) in refusal.violations[path] for limit in LIMITS.values())
    # The limits are the operator's: by default as much is accepted, or only lacks its model.
    checked = pb.CreateAuditRequest()
    checked.CopyFrom(asked)
    checked.validate_only = True
    if checked.audit.spec.WhichOneof("subject") == "artifact":
        assert refusal_of(lambda: stub.CreateAudit(checked)).code == "NOT_FOUND"
    else:
        assert stub.CreateAudit(checked).state == pb.Audit.QUEUED


@pytest.mark.parametrize("asked", [with_labels(1), with_replicates(100), with_inputs(2)])
def test_what_is_at_a_limit_only_lacks_its_model(strict: AuditServiceStub, asked: pb.CreateAuditRequest) -> None:
    assert refusal_of(lambda: strict.CreateAudit(asked)).reason == "MODEL_NOT_FOUND"


def test_batches_suites_models_and_messages_have_limits_too(strict: AuditServiceStub) -> None:
    calls: dict[str, Callable[[], object]] = {
        "requests": lambda: strict.BatchCreateAudits(pb.BatchCreateAuditsRequest(requests=[with_labels(0)] * 3)),
        "suite.members": lambda: strict.CreateSuite(
            pb.CreateSuiteRequest(suite=pb.Suite(members=[pb.SuiteMember(glob=pb.Glob(pattern="*"))] * 3))
        ),
    }
    for path, call in calls.items():
        refusal = refusal_of(call)
        assert (refusal.code, refusal.violations) == (
            "INVALID_ARGUMENT",
            {path: f"give 1 to 2 {path.removeprefix('suite.')}"},
        )
    assert refusal_of(lambda: upload(strict, bytes(1001))).facts == {"maxBytes": "1000"}
    large = recorded_request([np.zeros(MESSAGE_BYTES, np.float32)])
    assert refusal_of(lambda: strict.CreateAudit(large)).code == "RESOURCE_EXHAUSTED"


def by_uri(uri: str) -> pb.AuditSpec:
    return pb.AuditSpec(artifact=pb.ArtifactSubject(uri=uri))


@pytest.mark.parametrize("uri", ["file:///srv/models/a.onnx", "s3://bucket/team/a.onnx"])
def test_a_model_by_an_allowed_uri_is_accepted_and_shown(strict: AuditServiceStub, uri: str) -> None:
    made = strict.CreateAudit(pb.CreateAuditRequest(audit=pb.Audit(spec=by_uri(uri))))
    shown = strict.GetAudit(pb.GetAuditRequest(name=made.name))
    assert (shown.spec.artifact.uri, shown.spec.artifact.WhichOneof("source")) == (uri, "uri")
    pair = pb.PairSubject(train_uri=uri, inference_uri="s3://bucket/team/b.onnx")
    kept = strict.CreateAudit(pb.CreateAuditRequest(audit=pb.Audit(spec=pb.AuditSpec(pair=pair)))).spec.pair
    assert kept == pair


BAD_URIS = ["file:///etc/passwd", "file:///srv/models/../x", "file:///srv/models/%2e%2e/x", "https://example.com/a", ""]


@pytest.mark.parametrize("uri", BAD_URIS)
def test_a_uri_that_leads_elsewhere_is_refused_with_its_reason(
    strict: AuditServiceStub, redis_client: redis.Redis, uri: str
) -> None:
    refusal = refusal_of(lambda: strict.CreateAudit(pb.CreateAuditRequest(audit=pb.Audit(spec=by_uri(uri)))))
    assert (refusal.code, list(refusal.violations)) == ("INVALID_ARGUMENT", ["audit.spec.artifact.uri"])
    assert refusal.reasons == {"audit.spec.artifact.uri": "URI_NOT_ALLOWED"}
    pair = pb.PairSubject(train_uri=uri, inference_uri=uri)
    refusal = refusal_of(
        lambda: strict.CreateAudit(pb.CreateAuditRequest(audit=pb.Audit(spec=pb.AuditSpec(pair=pair))))
    )
    assert list(refusal.violations) == ["audit.spec.pair.train_uri", "audit.spec.pair.inference_uri"]
    assert records(redis_client) == set()


def test_a_suite_names_models_by_allowed_uris_only(strict: AuditServiceStub) -> None:
    def suite(uri: str) -> pb.Suite:
        return pb.Suite(members=[pb.SuiteMember(artifact=pb.ArtifactSubject(uri=uri))])

    made = strict.CreateSuite(pb.CreateSuiteRequest(suite=suite("file:///srv/models/a.onnx"), suite_id="by-uri"))
    assert made.members[0].artifact.uri == "file:///srv/models/a.onnx"
    refusal = refusal_of(lambda: strict.CreateSuite(pb.CreateSuiteRequest(suite=suite("file:///etc/passwd"))))
    assert refusal.reasons == {"suite.members[0].artifact.uri": "URI_NOT_ALLOWED"}
    changed = suite("s3://other/a.onnx")
    changed.name = made.name
    refusal = refusal_of(lambda: strict.UpdateSuite(pb.UpdateSuiteRequest(suite=changed)))
    assert refusal.reasons == {"suite.members[0].artifact.uri": "URI_NOT_ALLOWED"}


def test_by_default_no_uri_is_allowed(stub: AuditServiceStub) -> None:
    request = pb.CreateAuditRequest(audit=pb.Audit(spec=by_uri("file:///srv/models/a.onnx")))
    refusal = refusal_of(lambda: stub.CreateAudit(request))
    assert "this service allows none" in refusal.violations["audit.spec.artifact.uri"]
