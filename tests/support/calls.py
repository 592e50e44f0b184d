"""Calls of the service as a test makes them: with the generated stub, and refusals as plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
import numpy as np
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from dropaudit.subjects import Array
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub

METHODS = {method.name: method for method in pb.DESCRIPTOR.services_by_name["AuditService"].methods}


def call_method(
    channel: grpc.Channel, method: MethodDescriptor, metadata: Sequence[tuple[str, str]] = ()
) -> list[bytes]:
    """Call any method of the contract with an empty request, and return its answers."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    options: Any = {"request_serializer": bytes, "response_deserializer": bytes}
    given: Any = {"metadata": tuple(metadata), "timeout": 10}
    if method.client_streaming:
        return [channel.stream_unary(path, **options)(iter([b""]), **given)]
    if method.server_streaming:
        return list(channel.unary_stream(path, **options)(b"", **given))
    return [channel.unary_unary(path, **options)(b"", **given)]


@dataclass(frozen=True)
class Refusal:
    """A refused call: code, message, and the details that google.rpc knows."""

    code: str
    message: str
    reason: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    violations: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    preconditions: dict[str, str] = field(default_factory=dict)
    retry_seconds: int = 0
    request_id: str = field(default="", compare=False)


def refusal_of(call: Callable[[], object]) -> Refusal:
    """Return how a call is refused; fail when it is not."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error = cast(Any, caught.value)
    status = rpc_status.from_call(error)
    info, wrong, again = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    first, call_info = error_details_pb2.PreconditionFailure(), error_details_pb2.RequestInfo()
    for detail in status.details if status else ():
        # Each detail is one of these, and Unpack takes only its own.
        for kind in (info, wrong, first, again, call_info):
            detail.Unpack(kind)
    return Refusal(
        code=error.code().name,
        message=error.details() or "",
        reason=info.reason,
        facts=dict(info.metadata),
        violations={each.field: each.description for each in wrong.field_violations},
        reasons={each.field: each.reason for each in wrong.field_violations if each.reason},
        preconditions={each.subject: each.type for each in first.violations},
        retry_seconds=again.retry_delay.seconds,
        request_id=call_info.request_id,
    )


def metadata(**fields: Any) -> pb.UploadModelRequest:
    """Return the first message of an upload."""
    return pb.UploadModelRequest(metadata=pb.UploadModelRequest.Metadata(**fields))


def upload_messages(content: bytes, chunk: int = 1 << 20, **fields: Any) -> Iterator[pb.UploadModelRequest]:
    """Yield the messages of an upload."""
    yield metadata(**fields)
    for start in range(0, len(content), chunk):
        yield pb.UploadModelRequest(chunk=content[start : start + chunk])


def upload(stub: AuditServiceStub, content: bytes, **fields: Any) -> pb.Model:
    """Upload content."""
    return stub.UploadModel(upload_messages(content, **fields))


def name_of(content: bytes) -> str:
    """Return the resource name that content has."""
    return f"models/{hashlib.sha256(content).hexdigest()}"


def tensor(array: Array, datatype: str, name: str = "") -> pb.Tensor:
    """Return a tensor message."""
    return pb.Tensor(name=name, datatype=datatype, shape=array.shape, raw_contents=array.tobytes())


def recorded_request(trains: Iterable[Array] = (), **fields: Any) -> pb.CreateAuditRequest:
    """Ask for an audit of recorded outputs: 50 values, half of them kept and doubled."""
    inference = np.linspace(0.1, 1.0, 50, dtype=np.float32)
    kept = np.where(np.arange(50) % 2 == 0, 2 * inference, 0).astype(np.float32)
    train = [tensor(each, "FP32") for each in trains or [kept]]
    subject = pb.RecordedSubject(inference=tensor(inference, "FP32"), train=train, keep_prob=0.5)
    return pb.CreateAuditRequest(audit=pb.Audit(spec=pb.AuditSpec(recorded=subject)), **fields)


def artifact_request(model: str, role: pb.Role = pb.TRAIN, **fields: Any) -> pb.CreateAuditRequest:
    """Ask for an audit of an artifact."""
    spec = pb.AuditSpec(artifact=pb.ArtifactSubject(model=model, role=role))
    return pb.CreateAuditRequest(audit=pb.Audit(spec=spec), **fields)


def unversioned(model: pb.Model, *, names: bool = False) -> pb.Model:
    """Return a model without the version that its upload made, and, unless they are wanted, without its names."""
    found = pb.Model()
    found.CopyFrom(model)
    found.ClearField("version")
    if not names:
        found.ClearField("display_names")
    return found
