"""From records to messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from dropaudit.plan import Plan
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests import PRIORITIES, PROVIDERS
from dropaudit_server.subjects import ROLES
from dropaudit_server.tensors import DATATYPES
from dropaudit_store.events import Finished, Progressed, StateChanged
from dropaudit_store.records import (
    ArtifactRef,
    AuditRecord,
    AuditState,
    Glob,
    Member,
    ModelRecord,
    PairRef,
    RecordedRef,
    Run,
    Spec,
    Suite,
    TensorInfo,
)

K = TypeVar("K")
V = TypeVar("V")

_DATATYPES = {dtype: name for name, dtype in DATATYPES.items()}


def _inverse(table: Mapping[K, V]) -> dict[V, K]:
    """Exchange keys and values; of keys with one value the last wins, the named one after the unspecified."""
    return {value: key for key, value in table.items()}


_ROLE, _PROVIDER, _PRIORITY = _inverse(ROLES), _inverse(PROVIDERS), _inverse(PRIORITIES)
_BRIEF = ("verdict", "summary", "findings", "execution")
_GRAVITY = ("PASS", "WARN", "INCONCLUSIVE", "FAIL")


def model(record: ModelRecord) -> pb.Model:
    """Return the message of a model."""
    return pb.Model(
        name=f"models/{record.sha256}",
        sha256=record.sha256,
        size_bytes=record.size,
        display_name=record.display_name,
        create_time=timestamp(record.create_time),
    )


def audit(record: AuditRecord, *, whole: bool = True) -> pb.Audit:
    """Return the message of an audit; its report without sites and outputs unless the whole of it is wanted."""
    message = pb.Audit(
        name=f"audits/{record.id}",
        spec=spec(record.request.spec),
        state=record.state.value,
        labels=record.request.labels,
        priority=_PRIORITY[record.request.priority],
        attempts=record.attempts,
        create_time=timestamp(record.create_time),
        start_time=timestamp(record.start_time),
        end_time=timestamp(record.end_time),
        expire_time=timestamp(record.expire_time),
        run=record.request.run,
    )
    if record.report is not None:
        report = record.report if whole else {name: record.report.get(name) for name in _BRIEF}
        json_format.ParseDict(report, message.report)
    if record.failure is not None:
        message.failure.reason, message.failure.message = record.failure.reason, record.failure.message
    return message


def audits(records: Iterable[AuditRecord], page_token: str) -> pb.ListAuditsResponse:
    """Return the message of a page of audits."""
    return pb.ListAuditsResponse(audits=[audit(record, whole=False) for record in records], next_page_token=page_token)


def inspection(sites: Iterable[dict[str, Any]]) -> pb.InspectModelResponse:
    """Return the message of a model's sites."""
    return pb.InspectModelResponse(sites=[json_format.ParseDict(site, pb.Site()) for site in sites])


def spec(record: Spec) -> pb.AuditSpec:
    """Return the message of a spec, with tensors reduced to names, types and shapes."""
    message = pb.AuditSpec(options=options(record.plan))
    match record.subject:
        case ArtifactRef():
            message.artifact.CopyFrom(artifact(record.subject))
        case PairRef():
            message.pair.CopyFrom(pair(record.subject))
        case RecordedRef(tensors=tensors, keep_prob=keep_prob):
            inference, *train = map(tensor, tensors.infos)
            message.recorded.CopyFrom(pb.RecordedSubject(inference=inference, train=train, keep_prob=keep_prob))
    return message


def artifact(ref: ArtifactRef) -> pb.ArtifactSubject:
    """Return the message of an artifact subject."""
    inputs = pb.TensorSet(tensors=map(tensor, ref.inputs.infos)) if ref.inputs else None
    return pb.ArtifactSubject(
        model=_model_name(ref.model),
        uri=ref.uri or None,
        role=_ROLE[ref.role],
        inputs=inputs,
        keep_prob=ref.keep_prob,
    )


def pair(ref: PairRef) -> pb.PairSubject:
    """Return the message of a pair subject."""
    return pb.PairSubject(
        train_model=_model_name(ref.train),
        train_uri=ref.train_uri or None,
        inference_model=_model_name(ref.inference),
        inference_uri=ref.inference_uri or None,
        inputs=pb.TensorSet(tensors=map(tensor, ref.inputs.infos)) if ref.inputs else None,
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
        provider=_PROVIDER[plan.provider],
        compare_provider=_PROVIDER[plan.compare_provider] if plan.compare_provider else pb.PROVIDER_UNSPECIFIED,
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


def suite(record: Suite) -> pb.Suite:
    """Return the message of a suite."""
    return pb.Suite(
        name=f"suites/{record.id}",
        display_name=record.display_name,
        members=map(_member, record.members),
        options=options(record.plan),
        schedule=pb.Schedule(cron=record.cron, paused=record.paused) if record.cron else None,
        labels=record.labels,
        create_time=timestamp(record.create_time),
        update_time=timestamp(record.update_time),
    )


def _member(member: Member) -> pb.SuiteMember:
    match member:
        case ArtifactRef():
            return pb.SuiteMember(artifact=artifact(member))
        case PairRef():
            return pb.SuiteMember(pair=pair(member))
        case Glob(pattern=pattern, role=role):
            return pb.SuiteMember(glob=pb.Glob(pattern=pattern, role=_ROLE[role]))


def run(record: Run, audits: Mapping[str, AuditRecord]) -> pb.Run:
    """Return the message of a run, with its state and verdict taken from its audits, by id.

    An audit that is no longer there had finished; what it found is not known, and so no verdict is.
    """
    known = list(audits.values())
    finished = all(each.state.is_final for each in known)
    complete = finished and len(known) == len(record.audits)
    message = pb.Run(
        name=record.name,
        state="FINISHED" if finished else "RUNNING",
        trigger=record.trigger.value,
        verdict=max(map(_verdict, known), key=_GRAVITY.index, default="PASS") if complete else None,
        audits=[_run_audit(audit_id, audits.get(audit_id)) for audit_id in record.audits],
        create_time=timestamp(record.create_time),
        due_time=timestamp(record.due_time),
    )
    if finished:
        end = max((each.end_time or record.create_time for each in known), default=record.create_time)
        message.end_time.FromMilliseconds(_milliseconds(end))
        # Of the rounded instants, so that the three agree.
        message.duration.FromMilliseconds(_milliseconds(end) - _milliseconds(record.create_time))
    return message


def _run_audit(audit_id: str, record: AuditRecord | None) -> pb.RunAudit:
    if record is None:
        return pb.RunAudit(audit=f"audits/{audit_id}", summary="the audit was deleted, or has expired")
    summary = record.failure.message if record.failure else str((record.report or {}).get("summary", ""))
    return pb.RunAudit(
        audit=f"audits/{audit_id}",
        state=record.state.value,
        verdict=_verdict(record) if record.state is AuditState.SUCCEEDED else None,
        summary=summary,
    )


def _verdict(record: AuditRecord) -> str:
    """Return the name of an audit's verdict; one that could not be made counts as FAIL."""
    return "FAIL" if record.report is None else str(record.report["verdict"])


def timestamp(seconds: float | None) -> Timestamp | None:
    """Return an instant as a message, None for None."""
    if seconds is None:
        return None
    found = Timestamp()
    found.FromMilliseconds(_milliseconds(seconds))
    return found


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
