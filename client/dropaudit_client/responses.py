"""Protobuf to plain values: what the client receives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import grpc
import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2, status_pb2

from dropaudit.plan import Progress, Role
from dropaudit.report import Report, Site, Verdict, from_json
from dropaudit_client.errors import AuditNotMade, ServiceError, ServiceUnavailable
from dropaudit_client.naming import responses as naming
from dropaudit_client.resources import (
    ArtifactRef,
    Audit,
    AuditState,
    Event,
    Failure,
    Finished,
    Glob,
    Member,
    Model,
    PairRef,
    Priority,
    Progressed,
    Run,
    RunAudit,
    RunState,
    StateChanged,
    Suite,
    Trigger,
)
from dropaudit_client.runs import responses as runs
from dropaudit_client.runs.members import pattern_of
from dropaudit_proto.v1 import audit_pb2 as pb

_STATUS_KEY = "grpc-status-details-bin"


def model(message: pb.Model) -> Model:
    """Read a stored model."""
    return Model(
        name=message.name,
        sha256=message.sha256,
        size_bytes=message.size_bytes,
        display_name=message.display_name,
        create_time=_time(message, "create_time"),
        version=naming.version(message.version) if message.HasField("version") else None,
        display_names=tuple(message.display_names),
    )


def audit(message: pb.Audit) -> Audit:
    """Read an audit."""
    return Audit(
        name=message.name,
        state=AuditState(pb.Audit.State.Name(message.state)),
        report=report(message.report) if message.HasField("report") else None,
        failure=Failure(message.failure.reason, message.failure.message) if message.HasField("failure") else None,
        labels=dict(message.labels),
        priority=Priority(pb.Audit.Priority.Name(message.priority)) if message.priority else Priority.INTERACTIVE,
        attempts=message.attempts,
        create_time=_time(message, "create_time"),
        start_time=_time(message, "start_time"),
        end_time=_time(message, "end_time"),
        expire_time=_time(message, "expire_time"),
        run=message.run,
        display_name=message.display_name,
        model_version=message.model_version,
    )


def report(message: pb.Report) -> Report:
    """Read a report."""
    return from_json(_json(message))


def sites(message: pb.InspectModelResponse) -> tuple[Site, ...]:
    """Read the sites of a model."""
    return tuple(msgspec.convert(_json(site), Site, strict=False) for site in message.sites)


def event(message: pb.AuditEvent) -> Event:
    """Read one event of an audit's stream."""
    at = message.time.ToDatetime(tzinfo=UTC)
    match message.WhichOneof("event"):
        case "progress":
            progress = msgspec.convert(_json(message.progress), Progress, strict=False)
            return Progressed(message.sequence, at, progress)
        case "audit":
            return Finished(message.sequence, at, audit(message.audit))
        case _:
            return StateChanged(message.sequence, at, AuditState(pb.Audit.State.Name(message.state)))


def suite(message: pb.Suite) -> Suite:
    """Read a suite; the tensors of its members' inputs stay with the server."""
    return Suite(
        name=message.name,
        display_name=message.display_name,
        members=tuple(_member(each) for each in message.members),
        cron=message.schedule.cron or None,
        paused=message.schedule.paused,
        labels=dict(message.labels),
        create_time=_time(message, "create_time"),
        time_zone=message.schedule.time_zone,
        next_time=_time(message.schedule, "next_time"),
        baseline=message.baseline,
        last_run=message.last_run,
        etag=message.etag,
    )


def run(message: pb.Run) -> Run:
    """Read a run."""
    return Run(
        name=message.name,
        state=RunState(pb.Run.State.Name(message.state)),
        trigger=Trigger(pb.Run.Trigger.Name(message.trigger)),
        verdict=_verdict(message.verdict),
        audits=tuple(map(_run_audit, message.audits)),
        create_time=_time(message, "create_time"),
        end_time=_time(message, "end_time"),
        due_time=_time(message, "due_time"),
        counts=runs.counts(message.counts),
        reason=message.reason,
        notes=tuple(message.notes),
        comparison=runs.comparison(message.comparison) if message.HasField("comparison") else None,
        baseline_comparison=(
            runs.comparison(message.baseline_comparison) if message.HasField("baseline_comparison") else None
        ),
    )


def _run_audit(message: pb.RunAudit) -> RunAudit:
    return RunAudit(
        audit=message.audit,
        state=_state(message.state),
        verdict=_verdict(message.verdict),
        summary=message.summary,
        member=runs.member(message.member) if message.HasField("member") else None,
        reused=message.reused,
        accepted=len(message.accepted),
    )


def report_of(finished: Audit) -> Report:
    """Return a finished audit's report. Raises AuditNotMade when it has none."""
    if finished.report is not None:
        return finished.report
    failure = finished.failure or Failure(finished.state.value, f"{finished.name} is {finished.state}")
    raise AuditNotMade(failure.reason, failure.message, code="OK", facts={"audit": finished.name})


@contextmanager
def service_errors(address: str) -> Iterator[None]:
    """Turn what gRPC raises inside into ServiceError."""
    try:
        yield
    except grpc.RpcError as error:
        raise service_error(error, address) from error


def service_error(error: grpc.RpcError, address: str) -> ServiceError:
    """Read a failed call: reason and facts from google.rpc.ErrorInfo where the server sent one."""
    call: Any = error  # raised errors are calls too, which no stub says
    code: grpc.StatusCode = call.code()
    info = _detail(call, error_details_pb2.ErrorInfo)
    wrong = _detail(call, error_details_pb2.BadRequest)
    violations = [(each.field, each.description) for each in wrong.field_violations] if wrong else []
    message = call.details() or f"the server answered {code.name}"
    if code is grpc.StatusCode.UNAVAILABLE and info is None:
        message = f"no server answers at {address}; start one with `dropaudit up`, or give another --address"
        return ServiceUnavailable("SERVICE_UNAVAILABLE", message, code.name)
    kind = ServiceUnavailable if code is grpc.StatusCode.UNAVAILABLE else ServiceError
    facts = dict(info.metadata) if info else None
    return kind(info.reason if info else code.name, message, code.name, facts, violations)


def _detail(call: Any, kind: Any) -> Any:
    """Return the detail of a kind, such as google.rpc.ErrorInfo, that a failed call carries, or None."""
    for key, value in call.trailing_metadata() or ():
        if key == _STATUS_KEY:
            for detail in status_pb2.Status.FromString(value).details:
                found = kind()
                if detail.Unpack(found):
                    return found
    return None


def _member(message: pb.SuiteMember) -> Member:
    match message.WhichOneof("member"):
        case "pair":
            pair = message.pair
            train, inference = pair.train_model or pair.train_uri, pair.inference_model or pair.inference_uri
            return PairRef(train, inference, keep_prob=_optional(pair, "keep_prob"))
        case "glob":
            glob = message.glob
            return Glob(glob.pattern, _role(glob.role), glob.alias, glob.all_versions)
        case "artifact":
            one = message.artifact
            return ArtifactRef(one.model or one.uri, _role(one.role), keep_prob=_optional(one, "keep_prob"))
        case _:
            return pattern_of(message)


def _role(value: pb.Role) -> Role:
    return Role[pb.Role.Name(value)] if value else Role.AUTO


def _state(value: pb.Audit.State) -> AuditState | None:
    return AuditState(pb.Audit.State.Name(value)) if value else None


def _verdict(value: pb.Report.Verdict) -> Verdict | None:
    return Verdict(pb.Report.Verdict.Name(value)) if value else None


def _optional(message: Message, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None


def _time(message: Message, field: str) -> datetime | None:
    stamp: Timestamp | None = _optional(message, field)
    return stamp.ToDatetime(tzinfo=UTC) if stamp is not None else None


def _json(message: Message) -> dict[str, Any]:
    """Return the proto3 JSON form with zeros and empty words written out: core's types have no implicit defaults."""
    return MessageToDict(message, always_print_fields_with_no_presence=True)
