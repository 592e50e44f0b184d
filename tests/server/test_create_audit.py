"""Claims about CreateAudit."""

from __future__ import annotations

import io
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import redis

from dropaudit.subjects import Array
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from support.calls import artifact_request, recorded_request, refusal_of, tensor, upload
from support.records import messages, records
from support.services import eventually

MODEL = f"models/{'a' * 64}"


def request(audit: pb.Audit | None = None, **fields: object) -> pb.CreateAuditRequest:
    """Ask for an audit of an artifact, with fields of its spec given."""
    made = artifact_request(MODEL)
    made.audit.MergeFrom(audit or pb.Audit())
    made.audit.spec.artifact.MergeFrom(pb.ArtifactSubject(**fields))  # type: ignore[arg-type]  # fields of any type
    return made


def options(**given: object) -> pb.CreateAuditRequest:
    return request(pb.Audit(spec=pb.AuditSpec(options=pb.AuditOptions(**given))))  # type: ignore[arg-type]  # as above


def inputs(*tensors: pb.Tensor, npz: bytes = b"") -> pb.CreateAuditRequest:
    return request(inputs=pb.TensorSet(tensors=tensors, npz=npz))


def archived(**arrays: Array) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy's own keyword is among the possible names
    return buffer.getvalue()


def subject(spec: pb.AuditSpec) -> pb.CreateAuditRequest:
    return pb.CreateAuditRequest(audit=pb.Audit(spec=spec))


X = tensor(np.zeros((2, 2), np.float32), "FP32", "x")
BAD = {
    "no subject": (pb.CreateAuditRequest(), ["audit.spec"]),
    "no model": (artifact_request(""), ["audit.spec.artifact.model"]),
    "an unknown role": (request(role=9), ["audit.spec.artifact.role"]),
    "an unknown provider": (options(provider=9), ["audit.spec.options.provider"]),
    "an unknown priority": (request(pb.Audit(priority=9)), ["audit.priority"]),  # type: ignore[arg-type]  # no value
    "a keep probability of 0": (request(keep_prob=0.0), ["audit.spec.artifact.keep_prob"]),
    "a keep probability that is not a number": (request(keep_prob=math.nan), ["audit.spec.artifact.keep_prob"]),
    "alpha over one half": (options(alpha=0.6), ["audit.spec.options.alpha"]),
    "alpha that is not a number": (options(alpha=math.nan), ["audit.spec.options.alpha"]),
    "a negative tolerance": (options(tolerance=-1), ["audit.spec.options.tolerance"]),
    "too few replicates": (options(max_replicates=63), ["audit.spec.options.max_replicates"]),
    "a long request id": (artifact_request(MODEL, request_id="x" * 129), ["request_id"]),
    "two bad models of a pair": (
        subject(pb.AuditSpec(pair=pb.PairSubject())),
        ["audit.spec.pair.train_model", "audit.spec.pair.inference_model"],
    ),
    "no inputs in inputs": (inputs(), ["audit.spec.artifact.inputs"]),
    "tensors and npz": (inputs(X, npz=archived(x=np.zeros(1))), ["audit.spec.artifact.inputs"]),
    "one input twice": (inputs(X, X), ["audit.spec.artifact.inputs.tensors"]),
    "no npz": (inputs(npz=b"PK"), ["audit.spec.artifact.inputs.npz"]),
    "words in an npz": (inputs(npz=archived(x=np.array(["word"]))), ["audit.spec.artifact.inputs.npz"]),
    "objects in an npz": (inputs(npz=archived(x=np.array([{}]))), ["audit.spec.artifact.inputs.npz"]),
    "an unknown datatype": (
        inputs(pb.Tensor(datatype="BYTES")),
        ["audit.spec.artifact.inputs.tensors[0].datatype"],
    ),
    "a negative extent": (
        inputs(X, pb.Tensor(name="z", datatype="FP32", shape=[-1])),
        ["audit.spec.artifact.inputs.tensors[1].shape"],
    ),
    "too many axes": (
        inputs(pb.Tensor(datatype="BOOL", shape=[1] * 65, raw_contents=b"1")),
        ["audit.spec.artifact.inputs.tensors[0].shape"],
    ),
    "too few bytes": (
        inputs(pb.Tensor(datatype="FP32", shape=[2], raw_contents=b"1234")),
        ["audit.spec.artifact.inputs.tensors[0].raw_contents"],
    ),
    "an extent beyond any memory": (
        inputs(pb.Tensor(datatype="FP64", shape=[2**62, 2**62])),
        ["audit.spec.artifact.inputs.tensors[0].shape"],
    ),
    "an empty tensor with such an extent": (
        inputs(pb.Tensor(datatype="FP32", shape=[0, 2**62])),
        ["audit.spec.artifact.inputs.tensors[0].shape"],
    ),
    "elements that cannot be addressed": (
        inputs(pb.Tensor(datatype="FP32", shape=[0, 2**30, 2**30])),
        ["audit.spec.artifact.inputs.tensors[0].shape"],
    ),
    "more axes than may be": (
        inputs(pb.Tensor(datatype="FP32", shape=[1] * 33, raw_contents=b"1234")),
        ["audit.spec.artifact.inputs.tensors[0].shape"],
    ),
    "a name of half a kilobyte": (
        inputs(pb.Tensor(name="é" * 257, datatype="FP32", raw_contents=b"1234")),
        ["audit.spec.artifact.inputs.tensors[0].name"],
    ),
    "no train output": (
        subject(pb.AuditSpec(recorded=pb.RecordedSubject(inference=X))),
        ["audit.spec.recorded.train"],
    ),
    "outputs of different shapes": (
        recorded_request([np.zeros(50, np.float32), np.zeros(49, np.float32)]),
        ["audit.spec.recorded.train[1].shape"],
    ),
}


@pytest.mark.parametrize(("asked", "paths"), BAD.values(), ids=BAD)
def test_what_breaks_the_contract_is_refused_with_the_field_s_path(
    stub: AuditServiceStub, redis_client: redis.Redis, asked: pb.CreateAuditRequest, paths: list[str]
) -> None:
    refusal = refusal_of(lambda: stub.CreateAudit(asked))
    assert (refusal.code, refusal.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert list(refusal.violations) == paths
    assert all(refusal.violations.values())
    assert records(redis_client) == set()


def test_every_violation_is_told_at_once(stub: AuditServiceStub) -> None:
    asked = options(alpha=2, tolerance=3, max_replicates=1, provider=9)
    asked.audit.spec.artifact.CopyFrom(pb.ArtifactSubject(model="nonsense", role=9, keep_prob=7))  # type: ignore[arg-type]  # no role
    refusal = refusal_of(lambda: stub.CreateAudit(asked))
    assert set(refusal.violations) == {
        "audit.spec.artifact.model",
        "audit.spec.artifact.role",
        "audit.spec.artifact.keep_prob",
        "audit.spec.options.alpha",
        "audit.spec.options.tolerance",
        "audit.spec.options.max_replicates",
        "audit.spec.options.provider",
    }
    assert all(path in refusal.message for path in refusal.violations)


def test_an_archive_that_unpacks_to_more_than_a_gibibyte_is_refused(stub: AuditServiceStub) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.zeros((1 << 30) + 1, np.int8))
    refusal = refusal_of(lambda: stub.CreateAudit(inputs(npz=buffer.getvalue())))
    assert list(refusal.violations) == ["audit.spec.artifact.inputs.npz"]


def test_a_new_audit_is_queued_and_tells_what_was_asked(stub: AuditServiceStub) -> None:
    model = upload(stub, b"content").name
    asked = artifact_request(model, role=pb.INFERENCE)
    asked.audit.labels["team"] = "speech"
    asked.audit.priority = pb.Audit.BATCH
    asked.audit.spec.artifact.keep_prob = 0.8
    asked.audit.spec.artifact.inputs.tensors.append(X)
    asked.audit.spec.options.seed = 7
    audit = stub.CreateAudit(asked)
    assert audit.name.startswith("audits/")
    assert (audit.state, audit.attempts, dict(audit.labels)) == (pb.Audit.QUEUED, 0, {"team": "speech"})
    assert audit.priority == pb.Audit.BATCH
    assert audit.create_time.seconds > 0
    assert not audit.HasField("end_time")
    subject = audit.spec.artifact
    assert (subject.model, subject.role, subject.keep_prob) == (model, pb.INFERENCE, 0.8)
    assert [(each.name, each.datatype, list(each.shape)) for each in subject.inputs.tensors] == [("x", "FP32", [2, 2])]
    assert subject.inputs.tensors[0].raw_contents == b""


def test_options_that_were_left_out_come_back_as_the_defaults(stub: AuditServiceStub) -> None:
    options = stub.CreateAudit(recorded_request()).spec.options
    assert (options.alpha, options.tolerance) == (0.001, 0.02)
    assert (options.max_replicates, options.seed, options.provider) == (65_536, 0, pb.PROVIDER_AUTO)


def test_an_unknown_model_is_not_found_and_no_audit_is_made(stub: AuditServiceStub, redis_client: redis.Redis) -> None:
    refusal = refusal_of(lambda: stub.CreateAudit(artifact_request(MODEL)))
    assert (refusal.code, refusal.reason, refusal.facts) == ("NOT_FOUND", "MODEL_NOT_FOUND", {"resource": MODEL})
    assert records(redis_client) == set()


def test_only_checking_makes_no_audit(stub: AuditServiceStub, redis_client: redis.Redis) -> None:
    audit = stub.CreateAudit(recorded_request(validate_only=True))
    assert audit.spec.recorded.keep_prob == 0.5
    assert records(redis_client) == set()


def test_only_checking_finds_what_is_wrong(stub: AuditServiceStub) -> None:
    asked = artifact_request(MODEL, validate_only=True)
    assert refusal_of(lambda: stub.CreateAudit(asked)).reason == "MODEL_NOT_FOUND"


def test_one_request_id_is_one_audit_however_often_and_at_once_it_is_asked(stub: AuditServiceStub) -> None:
    def ask(_: int) -> str:
        return stub.CreateAudit(recorded_request(request_id="mine")).name

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(ask, range(50)))) == 1


def test_no_request_id_is_an_audit_each_time(stub: AuditServiceStub) -> None:
    assert stub.CreateAudit(recorded_request()).name != stub.CreateAudit(recorded_request()).name


def test_a_request_id_that_comes_back_with_another_request_is_refused(stub: AuditServiceStub) -> None:
    stub.CreateAudit(recorded_request(request_id="mine"))
    other = recorded_request(request_id="mine")
    other.audit.spec.options.seed = 1
    refusal = refusal_of(lambda: stub.CreateAudit(other))
    assert (refusal.code, refusal.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert refusal.facts == {"requestId": "mine"}


def test_a_worker_is_told_the_audit_s_id_and_nothing_else(stub: AuditServiceStub, redis_client: redis.Redis) -> None:
    audit = stub.CreateAudit(recorded_request())
    message: tuple[str, list[str], dict[str, object]] = ("dropaudit.audit", [audit.name.removeprefix("audits/")], {})
    eventually(lambda: message in messages(redis_client), "no worker is told")


def test_an_audit_is_called_what_its_model_is_called_now(stub: AuditServiceStub) -> None:
    model = upload(stub, b"content").name
    first = stub.CreateAudit(artifact_request(model))
    upload(stub, b"content", display_name="one.onnx")
    second = stub.CreateAudit(artifact_request(model))
    for each in (first, second):
        stub.CancelAudit(pb.CancelAuditRequest(name=each.name))
        stub.DeleteAudit(pb.DeleteAuditRequest(name=each.name))
    stub.DeleteModel(pb.DeleteModelRequest(name=model))
    refusal = refusal_of(lambda: stub.CreateAudit(artifact_request(model)))
    assert refusal.reason == "MODEL_NOT_FOUND"
    upload(stub, b"content", display_name="two.onnx")
    third = stub.CreateAudit(artifact_request(model))
    assert [each.display_name for each in (first, second, third)] == ["", "one.onnx", "two.onnx"]


@pytest.mark.parametrize("name", ["", "one.onnx"])
def test_a_model_that_is_audited_again_is_not_asked_for_its_name_again(
    stub: AuditServiceStub, redis_client: redis.Redis, name: str
) -> None:
    model = upload(stub, b"content", display_name=name).name
    stub.CreateAudit(artifact_request(model))
    redis_client.config_resetstat()
    again = stub.CreateAudit(artifact_request(model))
    assert again.display_name == name
    assert "cmdstat_mget" not in redis_client.info("commandstats")
