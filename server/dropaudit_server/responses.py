"""From records to messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from dropaudit.plan import Plan
from dropaudit.shortening import cut
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.audit_requests import PRIORITIES, PROVIDERS
from dropaudit_server.requests.paging import Page, fitting
from dropaudit_server.requests.subject_messages import ROLES
from dropaudit_server.requests.tensors import DATATYPES
from dropaudit_store.audits.events import Finished, Progressed, StateChanged
from dropaudit_store.audits.ids import member
from dropaudit_store.audits.reader import Standing
from dropaudit_store.content.inspections import Inspection
from dropaudit_store.records import (
    ArtifactRef,
    AuditRecord,
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
from dropaudit_store.shared.byte_limits import NAME_BYTES

K = TypeVar("K")
V = TypeVar("V")

_DATATYPES = {dtype: name for name, dtype in DATATYPES.items()}


def _inverse(table: Mapping[K, V]) -> dict[V, K]:
    """Exchange keys and values; of keys with one value the last wins, the named one after the unspecified."""
    return {value: key for key, value in table.items()}


_ROLE, _PROVIDER, _PRIORITY = _inverse(ROLES), _inverse(PROVIDERS), _inverse(PRIORITIES)
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
        case RecordedRef(tensors=tensors, keep_prob=keep_prob):
            inference, *train = map(tensor, tensors.infos)
            message.recorded.CopyFrom(pb.RecordedSubject(inference=inference, train=train, keep_prob=keep_prob))
    return message


def artifact(ref: ArtifactRef, *, whole: bool = True) -> pb.ArtifactSubject:
    """Return the message of an artifact subject."""
    inputs = pb.TensorSet(tensors=map(tensor, ref.inputs.infos)) if ref.inputs and whole else None
    return pb.ArtifactSubject(
        model=_model_name(ref.model),
        uri=ref.uri or None,
        role=_ROLE[ref.role],
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


def suites(records: Iterable[Suite], following: str, page: Page) -> pb.ListSuitesResponse:
    """Return the message of a page of suites."""
    messages = ((suite(each, whole=page.whole), member(each.create_time, each.id)) for each in records)
    found, cursor = fitting(messages, following)
    return pb.ListSuitesResponse(suites=found, next_page_token=page.token(cursor))


def suite(record: Suite, *, whole: bool = True) -> pb.Suite:
    """Return the message of a suite; its members only with the whole of it.

    What an earlier version stored may be of any size, and is cut here: the record must stay as it is to be changed.
    """
    return pb.Suite(
        name=f"suites/{record.id}",
        display_name=cut(record.display_name, NAME_BYTES),
        members=map(_member, record.members) if whole else (),
        options=options(record.plan),
        schedule=pb.Schedule(cron=record.cron, paused=record.paused) if record.cron else None,
        labels=record.labels,
        create_time=timestamp(record.create_time),
        update_time=timestamp(record.update_time),
    )


def _member(found: Member) -> pb.SuiteMember:
    match found:
        case ArtifactRef():
            return pb.SuiteMember(artifact=artifact(found))
        case PairRef():
            return pb.SuiteMember(pair=pair(found))
        case Glob(pattern=pattern, role=role):
            return pb.SuiteMember(glob=pb.Glob(pattern=cut(pattern, NAME_BYTES), role=_ROLE[role]))


def runs(statuses: Iterable[tuple[Run, Mapping[str, Standing]]], following: str, page: Page) -> pb.ListRunsResponse:
    """Return the message of a page of runs."""
    messages = ((run(each, audits, whole=page.whole), member(each.create_time, each.id)) for each, audits in statuses)
    found, cursor = fitting(messages, following)
    return pb.ListRunsResponse(runs=found, next_page_token=page.token(cursor))


def run(record: Run, audits: Mapping[str, Standing], *, whole: bool = True) -> pb.Run:
    """Return the message of a run, with its state and verdict taken from its audits, by id.

    Summaries are left out where all of them would be too large. An audit that is no longer there had finished; what it
    found is not known, and so no verdict is.
    """
    known = list(audits.values())
    finished = all(each.state.is_final for each in known)
    complete = finished and len(known) == len(record.audits)
    message = pb.Run(
        name=record.name,
        state="FINISHED" if finished else "RUNNING",
        trigger=record.trigger.value,
        verdict=max(map(_verdict, known), key=_GRAVITY.index, default="PASS") if complete else None,
        audits=_run_audits(record, audits) if whole else (),
        create_time=timestamp(record.create_time),
        due_time=timestamp(record.due_time),
    )
    if finished:
        end = max((each.end_time or record.create_time for each in known), default=record.create_time)
        message.end_time.FromMilliseconds(_milliseconds(end))
        # Of the rounded instants, so that the three agree.
        message.duration.FromMilliseconds(_milliseconds(end) - _milliseconds(record.create_time))
    return message


def _run_audits(record: Run, audits: Mapping[str, Standing]) -> list[pb.RunAudit]:
    found = [_run_audit(audit_id, audits.get(audit_id)) for audit_id in record.audits]
    _, cut_at = fitting(((each, each.audit) for each in found), "")
    for each in found if cut_at else ():
        each.ClearField("summary")
    return found


def _run_audit(audit_id: str, standing: Standing | None) -> pb.RunAudit:
    if standing is None:
        return pb.RunAudit(audit=f"audits/{audit_id}", summary="the audit was deleted, or has expired")
    return pb.RunAudit(
        audit=f"audits/{audit_id}",
        state=standing.state.value,
        verdict=standing.verdict or None,
        summary=standing.summary,
    )


def _verdict(standing: Standing) -> str:
    """Return the name of an audit's verdict; one that could not be made counts as FAIL."""
    return standing.verdict or "FAIL"


def timestamp(seconds: float | None) -> Timestamp | None:
    """Return an instant as a message, None for None."""
    if seconds is None:
        return None
    found = Timestamp()
    found.FromMilliseconds(_milliseconds(seconds))
    return found


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
