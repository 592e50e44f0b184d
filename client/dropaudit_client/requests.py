"""Plain values to protobuf: what the client sends."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

import numpy as np

from dropaudit.errors import InvalidArgument, InvalidTensor
from dropaudit.files.model_files import ModelContent, chunks_of, sha256_of, size_of
from dropaudit.plan import Plan
from dropaudit.subjects import Array, Inputs, RecordedSubject
from dropaudit_client.resources import ArtifactRef, Glob, Member, NewAudit, PairRef, is_uri
from dropaudit_client.runs.members import RecordedOutputs, message_of
from dropaudit_client.runs.resources import Receiver
from dropaudit_proto.v1 import audit_pb2 as pb

# The Open Inference Protocol's names by numpy's.
_DATATYPES = {
    "bool": "BOOL",
    **{f"uint{bits}": f"UINT{bits}" for bits in (8, 16, 32, 64)},
    **{f"int{bits}": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
}


def upload(content: ModelContent, display_name: str) -> Iterator[pb.UploadModelRequest]:
    """Yield the messages of an upload: what it is, then its content in chunks."""
    metadata = pb.UploadModelRequest.Metadata(
        display_name=display_name, sha256=sha256_of(content), size_bytes=size_of(content)
    )
    yield pb.UploadModelRequest(metadata=metadata)
    for chunk in chunks_of(content):
        yield pb.UploadModelRequest(chunk=bytes(chunk))


def create_audit(asked: NewAudit) -> pb.CreateAuditRequest:
    """Make a CreateAudit request; without a request id it gets a fresh UUID, so that a retry makes no second audit."""
    spec = pb.AuditSpec(options=options(asked.plan or Plan()))
    match asked.subject:
        case ArtifactRef():
            spec.artifact.CopyFrom(artifact(asked.subject))
        case PairRef():
            spec.pair.CopyFrom(pair(asked.subject))
        case RecordedSubject():
            spec.recorded.CopyFrom(recorded(asked.subject))
        case _:
            assert_never(asked.subject)
    return pb.CreateAuditRequest(
        audit=pb.Audit(
            spec=spec, labels=dict(asked.labels), priority=asked.priority.value, display_name=asked.display_name
        ),
        request_id=asked.request_id or str(uuid.uuid4()),
    )


def list_audits(filter: str, newest_first: bool, full: bool) -> pb.ListAuditsRequest:
    """Make a ListAudits request."""
    order = "create_time desc" if newest_first else "create_time"
    return pb.ListAuditsRequest(filter=filter, order_by=order, view=pb.VIEW_FULL if full else pb.VIEW_BASIC)


def list_suites() -> pb.ListSuitesRequest:
    """Make a ListSuites request, members included."""
    return pb.ListSuitesRequest(view=pb.VIEW_FULL)


def list_runs(suite: str) -> pb.ListRunsRequest:
    """Make a ListRuns request, audits included."""
    return pb.ListRunsRequest(parent=suite, view=pb.VIEW_FULL)


def update_suite(
    name: str,
    *,
    display_name: str | None,
    members: Sequence[Member] | None,
    plan: Plan | None,
    cron: str | None,
    paused: bool | None,
    labels: Mapping[str, str] | None,
) -> pb.UpdateSuiteRequest:
    """Make an UpdateSuite request that changes what is not None."""
    changes: dict[str, pb.Suite | None] = {
        "display_name": None if display_name is None else pb.Suite(display_name=display_name),
        "members": None if members is None else pb.Suite(members=map(member, members)),
        "options": None if plan is None else pb.Suite(options=options(plan)),
        "schedule.cron": pb.Suite(schedule=pb.Schedule(cron=cron)) if cron else None,
        "schedule": pb.Suite() if cron == "" else None,
        "schedule.paused": None if paused is None else pb.Suite(schedule=pb.Schedule(paused=paused)),
        "labels": None if labels is None else pb.Suite(labels=dict(labels)),
    }
    request = pb.UpdateSuiteRequest(suite=pb.Suite(name=name))
    for path, part in changes.items():
        if part is not None:
            request.suite.MergeFrom(part)
            request.update_mask.paths.append(path)
    return request


def create_suite(
    suite_id: str,
    members: Sequence[Member],
    plan: Plan | None,
    *,
    display_name: str,
    cron: str | None,
    time_zone: str,
    labels: Mapping[str, str] | None,
    notifications: Sequence[Receiver],
) -> pb.CreateSuiteRequest:
    """Make a CreateSuite request."""
    suite = pb.Suite(
        display_name=display_name,
        members=[member(each) for each in members],
        options=options(plan or Plan()),
        schedule=pb.Schedule(cron=cron, time_zone=time_zone) if cron else None,
        labels=dict(labels or {}),
        notifications=map(_receiver, notifications),
    )
    return pb.CreateSuiteRequest(suite=suite, suite_id=suite_id)


def run_suite(name: str, request_id: str | None, always_audit: bool = False) -> pb.RunSuiteRequest:
    """Make a RunSuite request, with a fresh UUID unless the caller has an id."""
    return pb.RunSuiteRequest(name=name, request_id=request_id or str(uuid.uuid4()), always_audit=always_audit)


def _receiver(value: Receiver) -> pb.Notification:
    return pb.Notification(webhook_url=value.webhook_url, trigger=value.trigger, secret=value.secret, form=value.form)


def options(plan: Plan) -> pb.AuditOptions:
    """Return a plan's wire form."""
    return pb.AuditOptions(
        alpha=plan.alpha,
        tolerance=plan.tolerance,
        max_replicates=plan.max_replicates,
        seed=plan.seed,
        provider=f"PROVIDER_{plan.provider.name}",
        compare_provider=f"PROVIDER_{plan.compare_provider.name}" if plan.compare_provider else "PROVIDER_UNSPECIFIED",
    )


def member(value: Member) -> pb.SuiteMember:
    """Return a suite member's wire form."""
    match value:
        case ArtifactRef():
            return pb.SuiteMember(artifact=artifact(value))
        case PairRef():
            return pb.SuiteMember(pair=pair(value))
        case Glob():
            return pb.SuiteMember(
                glob=pb.Glob(
                    pattern=value.pattern, role=value.role.name, alias=value.alias, all_versions=value.all_versions
                )
            )
        case RecordedSubject():
            return pb.SuiteMember(recorded=recorded(value))
        case RecordedOutputs():
            raise InvalidArgument("recorded outputs of a suite stay with the service; give them again as arrays")
        case _:
            return message_of(value)


def artifact(value: ArtifactRef) -> pb.ArtifactSubject:
    """Return an artifact's wire form."""
    return pb.ArtifactSubject(
        **_named(value.model, "model", "uri"),
        role=value.role.name,
        inputs=_tensor_set(value.inputs),
        keep_prob=value.keep_prob,
    )


def pair(value: PairRef) -> pb.PairSubject:
    """Return a pair's wire form."""
    return pb.PairSubject(
        **_named(value.train_model, "train_model", "train_uri"),
        **_named(value.inference_model, "inference_model", "inference_uri"),
        inputs=_tensor_set(value.inputs),
        keep_prob=value.keep_prob,
    )


def _named(model: str, name_field: str, uri_field: str) -> dict[str, Any]:
    """Return the field of a stored model's name, or of a URI."""
    return {uri_field if is_uri(model) else name_field: model}


def recorded(value: RecordedSubject) -> pb.RecordedSubject:
    """Return recorded outputs' wire form."""
    return pb.RecordedSubject(
        inference=tensor(value.inference),
        train=[tensor(array) for array in value.train],
        keep_prob=value.keep_prob,
    )


def tensor(array: Array, name: str = "") -> pb.Tensor:
    """Return an array's wire form: row-major, little-endian. Raises InvalidTensor for types without one."""
    array = np.asarray(array)
    datatype = _DATATYPES.get(array.dtype.name)
    if datatype is None:
        raise InvalidTensor(f"arrays of {array.dtype} cannot be sent; numbers and booleans can", dtype=str(array.dtype))
    big_endian = array.dtype.byteorder == ">" or (array.dtype.byteorder == "=" and sys.byteorder == "big")
    raw = (array.byteswap() if big_endian else array).tobytes(order="C")
    return pb.Tensor(name=name, datatype=datatype, shape=array.shape, raw_contents=raw)


def _tensor_set(inputs: Inputs | None) -> pb.TensorSet | None:
    if inputs is None:
        return None
    return pb.TensorSet(tensors=[tensor(array, name) for name, array in inputs.items()])
