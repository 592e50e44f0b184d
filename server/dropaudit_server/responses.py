"""From records to messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from dropaudit.plan import Plan
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.audit_requests import PRIORITIES, PROVIDERS
from dropaudit_server.requests.paging import Page, fitting
from dropaudit_server.requests.subject_messages import ROLES
from dropaudit_server.requests.tensors import DATATYPES
from dropaudit_store.audits.events import Finished, Progressed, StateChanged
from dropaudit_store.audits.ids import member
from dropaudit_store.content.inspections import Inspection
from dropaudit_store.records import (
    ArtifactRef,
    AuditRecord,
    ModelRecord,
    PairRef,
    RecordedRef,
    Spec,
    TensorInfo,
)

K = TypeVar("K")
V = TypeVar("V")

_DATATYPES = {dtype: name for name, dtype in DATATYPES.items()}


def _inverse(table: Mapping[K, V]) -> dict[V, K]:
    """Exchange keys and values; of keys with one value the last wins, the named one after the unspecified."""
    return {value: key for key, value in table.items()}


VERDICT: Mapping[str, pb.Report.Verdict] = {
    "": pb.Report.VERDICT_UNSPECIFIED,
    "PASS": pb.Report.PASS,
    "WARN": pb.Report.WARN,
    "FAIL": pb.Report.FAIL,
    "INCONCLUSIVE": pb.Report.INCONCLUSIVE,
}
ROLE, PROVIDER, _PRIORITY = _inverse(ROLES), _inverse(PROVIDERS), _inverse(PRIORITIES)


def model(record: ModelRecord) -> pb.Model:
    """Return the message of a model."""
    return pb.Model(
        name=f"models/{record.sha256}",
        sha256=record.sha256,
        size_bytes=record.size,
        display_name=record.display_name,
        create_time=timestamp(record.create_time),
    )


def models(records: Iterable[ModelRecord], following: str, page: Page) -> pb.ListModelsResponse:
    """Return the message of a page of models."""
    found, cursor = fitting(((model(each), member(each.create_time, each.sha256)) for each in records), following)
    return pb.ListModelsResponse(models=found, next_page_token=page.token(cursor))


def audit(record: AuditRecord, *, whole: bool = True) -> pb.Audit:
    """Return the message of an audit; its spec without the tensors of inputs unless the whole of it is wanted."""
    message = pb.Audit(
        name=f"audits/{record.id}",
        spec=spec(record.request.spec, whole=whole),
        state=record.state.value,
        labels=record.request.labels,
        priority=_PRIORITY[record.request.priority],
        attempts=record.attempts,
        create_time=timestamp(record.create_time),
        start_time=timestamp(record.start_time),
        end_time=timestamp(record.end_time),
        expire_time=timestamp(record.expire_time),
        run=record.request.run,
        display_name=record.request.display_name,
        model_version=record.request.model_version,
    )
    if record.report is not None:
        json_format.ParseDict(record.report, message.report)
        _name_artifacts(message.report, record.request.names)
    if record.failure is not None:
        message.failure.reason, message.failure.message = record.failure.reason, record.failure.message
    return message


def _name_artifacts(report: pb.Report, names: Sequence[str]) -> None:
    """Say how the files of a report are called: a report may be that of other audits of the same content."""
    if len(report.execution.artifacts) == len(names):
        for artifact, name in zip(report.execution.artifacts, names, strict=True):
            artifact.display_name = name


def batch(records: Iterable[AuditRecord]) -> pb.BatchCreateAuditsResponse:
    """Return the message of audits that were accepted together; where they are too large, without their inputs."""
    every = list(records)
    found, cut_at = fitting(((audit(each), each.id) for each in every), "")
    if cut_at:
        found = [audit(each, whole=False) for each in every]
    return pb.BatchCreateAuditsResponse(audits=found)


def audits(records: Iterable[AuditRecord], following: str, page: Page) -> pb.ListAuditsResponse:
    """Return the message of a page of audits."""
    found, cursor = fitting(((audit(each, whole=page.whole), each.id) for each in records), following)
    return pb.ListAuditsResponse(audits=found, next_page_token=page.token(cursor))


def inspection(found: Inspection) -> pb.InspectModelResponse:
    """Return the message of a model's sites."""
    sites = [json_format.ParseDict(site, pb.Site()) for site in found.sites]
    return pb.InspectModelResponse(sites=sites, shortened=found.shortened)


def spec(record: Spec, *, whole: bool = True) -> pb.AuditSpec:
    """Return the message of a spec, with tensors reduced to names, types and shapes; without them on request."""
    message = pb.AuditSpec(options=options(record.plan))
    match record.subject:
        case ArtifactRef():
            message.artifact.CopyFrom(artifact(record.subject, whole=whole))
        case PairRef():
            message.pair.CopyFrom(pair(record.subject, whole=whole))
        case RecordedRef(keep_prob=keep_prob) if not whole:
            message.recorded.CopyFrom(pb.RecordedSubject(keep_prob=keep_prob))
        case RecordedRef():
            message.recorded.CopyFrom(recorded(record.subject))
    return message


def recorded(ref: RecordedRef) -> pb.RecordedSubject:
    """Return the message of recorded outputs, without their content."""
    inference, *train = map(tensor, ref.tensors.infos)
    return pb.RecordedSubject(inference=inference, train=train, keep_prob=ref.keep_prob)


def artifact(ref: ArtifactRef, *, whole: bool = True) -> pb.ArtifactSubject:
    """Return the message of an artifact subject."""
    inputs = pb.TensorSet(tensors=map(tensor, ref.inputs.infos)) if ref.inputs and whole else None
    return pb.ArtifactSubject(
        model=_model_name(ref.model),
        uri=ref.uri or None,
        role=ROLE[ref.role],
        inputs=inputs,
        keep_prob=ref.keep_prob,
    )


def pair(ref: PairRef, *, whole: bool = True) -> pb.PairSubject:
    """Return the message of a pair subject."""
    return pb.PairSubject(
        train_model=_model_name(ref.train),
        train_uri=ref.train_uri or None,
        inference_model=_model_name(ref.inference),
        inference_uri=ref.inference_uri or None,
        inputs=pb.TensorSet(tensors=map(tensor, ref.inputs.infos)) if ref.inputs and whole else None,
        keep_prob=ref.keep_prob,
    )


def _model_name(sha256: str) -> str | None:
    return f"models/{sha256}" if sha256 else None


def tensor(info: TensorInfo) -> pb.Tensor:
    """Return the message of a tensor without its content."""
    return pb.Tensor(name=info.name, datatype=_DATATYPES.get(info.dtype, ""), shape=info.shape)


def options(plan: Plan) -> pb.AuditOptions:
    """Return the message of a plan."""
    return pb.AuditOptions(
        alpha=plan.alpha,
        tolerance=plan.tolerance,
        max_replicates=plan.max_replicates,
        seed=plan.seed,
        provider=PROVIDER[plan.provider],
        compare_provider=PROVIDER[plan.compare_provider] if plan.compare_provider else pb.PROVIDER_UNSPECIFIED,
    )


def event(found: StateChanged | Progressed) -> pb.AuditEvent:
    """Return the message of an event that is not the last."""
    moment = timestamp(found.time)
    if isinstance(found, StateChanged):
        return pb.AuditEvent(sequence=found.sequence, time=moment, state=found.state.value)
    progress = json_format.ParseDict(found.progress, pb.Progress())
    return pb.AuditEvent(sequence=found.sequence, time=moment, progress=progress)


def last_event(found: Finished, record: AuditRecord) -> pb.AuditEvent:
    """Return the message of the last event, which carries the finished audit."""
    return pb.AuditEvent(sequence=found.sequence, time=timestamp(found.time), audit=audit(record))


def timestamp(seconds: float | None) -> Timestamp | None:
    """Return an instant as a message, None for None."""
    if seconds is None:
        return None
    found = Timestamp()
    found.FromMilliseconds(_milliseconds(seconds))
    return found


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
