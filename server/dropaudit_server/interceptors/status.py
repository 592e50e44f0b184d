"""One table from errors to gRPC status codes, and the details that go with them."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from dropaudit import errors as core
from dropaudit.errors import AuditError
from dropaudit.shortening import cut
from dropaudit_server.handlers.inspection_handler import InspectionFailed, NotInspected
from dropaudit_server.handlers.uploads import UploadTimedOut
from dropaudit_server.interceptors.access import PermissionDenied, TokenExpired, Unauthenticated
from dropaudit_server.interceptors.caller_limits import MessageTimedOut, TooManyCalls
from dropaudit_server.members.previewing import NotPreviewed
from dropaudit_server.reports.documents import ReportTooLarge
from dropaudit_server.requests.violations import InvalidRequest, Violation
from dropaudit_server.stopping import ServerStopping
from dropaudit_store import errors
from dropaudit_store.notifications.targets import ForbiddenTarget, UnreachableTarget

DOMAIN = "dropaudit"
# A refusal travels as metadata, of which gRPC takes 8 KiB: its sentence percent-encoded, its details in base64.
_SENTENCE_BYTES, _FACT_BYTES, _LIST_BYTES = 800, 200, 2000

# Looked up along the classes an error derives from, nearest first.
CODES: dict[type[BaseException], grpc.StatusCode] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    TooManyCalls: grpc.StatusCode.RESOURCE_EXHAUSTED,
    MessageTimedOut: grpc.StatusCode.DEADLINE_EXCEEDED,
    UploadTimedOut: grpc.StatusCode.DEADLINE_EXCEEDED,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    TokenExpired: grpc.StatusCode.UNAUTHENTICATED,
    PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    InspectionFailed: grpc.StatusCode.FAILED_PRECONDITION,
    NotInspected: grpc.StatusCode.UNAVAILABLE,
    NotPreviewed: grpc.StatusCode.UNAVAILABLE,
    ReportTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ServerStopping: grpc.StatusCode.UNAVAILABLE,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.SuiteExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.RequestIdReused: grpc.StatusCode.ALREADY_EXISTS,
    errors.InUse: grpc.StatusCode.FAILED_PRECONDITION,
    errors.AuditNotFinished: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.InspectionsFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.RecordTooNew: grpc.StatusCode.UNAVAILABLE,
    errors.RecordTooLarge: grpc.StatusCode.INVALID_ARGUMENT,
    ForbiddenTarget: grpc.StatusCode.INVALID_ARGUMENT,
    UnreachableTarget: grpc.StatusCode.FAILED_PRECONDITION,
    errors.OnlyForWorkers: grpc.StatusCode.FAILED_PRECONDITION,
    errors.TooManyAliases: grpc.StatusCode.FAILED_PRECONDITION,
    errors.RunTooLarge: grpc.StatusCode.FAILED_PRECONDITION,
    errors.BlobMissing: grpc.StatusCode.FAILED_PRECONDITION,
    errors.UriRefused: grpc.StatusCode.INVALID_ARGUMENT,
    errors.UriUnreadable: grpc.StatusCode.FAILED_PRECONDITION,
    errors.InvalidDigest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.DigestMismatch: grpc.StatusCode.INVALID_ARGUMENT,
    errors.ContentTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StorageFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.ClusterRefused: grpc.StatusCode.FAILED_PRECONDITION,
    errors.LeaseLost: grpc.StatusCode.ABORTED,
    # The core's, which a server that runs no model hardly meets.
    core.InvalidModel: grpc.StatusCode.INVALID_ARGUMENT,
    core.InvalidTensor: grpc.StatusCode.INVALID_ARGUMENT,
    core.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    core.UnreadableFile: grpc.StatusCode.FAILED_PRECONDITION,
    core.ProviderUnavailable: grpc.StatusCode.FAILED_PRECONDITION,
    core.ExecutionFailed: grpc.StatusCode.FAILED_PRECONDITION,
    core.AuditCancelled: grpc.StatusCode.CANCELLED,
}


def code_of(error: AuditError) -> grpc.StatusCode:
    """Return the status code of an error."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), grpc.StatusCode.UNKNOWN)


# Where trying again helps, and after how many seconds.
_RETRY_SECONDS = {grpc.StatusCode.UNAVAILABLE: 1, grpc.StatusCode.ABORTED: 1}
_AFTER = {errors.QueueFull: 10, errors.InspectionsFull: 10, TooManyCalls: 1}


def status_of(error: AuditError, request_id: str = "") -> status_pb2.Status:
    """Return code, message and details: ErrorInfo, and what else helps to do something about the error."""
    code = code_of(error)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(
            reason=error.reason,
            domain=DOMAIN,
            metadata={name: cut(fact, _FACT_BYTES) for name, fact in error.facts.items()},
        ),
        *_details(error),
    ]
    seconds = next((after for kind, after in _AFTER.items() if isinstance(error, kind)), _RETRY_SECONDS.get(code))
    if seconds is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=seconds)))
    if request_id:
        details.append(error_details_pb2.RequestInfo(request_id=request_id))
    number: int = code.value[0]
    return status_pb2.Status(code=number, message=cut(error.message, _SENTENCE_BYTES), details=map(_packed, details))


def _details(error: AuditError) -> list[Message]:
    """Return BadRequest where fields are wrong, PreconditionFailure where something else must happen first."""
    match error:
        case InvalidRequest(violations=violations):
            return [error_details_pb2.BadRequest(field_violations=_fitting(map(_violation, violations)))]
        case errors.InUse(users=users):
            return [_preconditions("IN_USE", users, f"uses {error.resource}")]
        case errors.AuditNotFinished(audit_id=audit_id):
            return [_preconditions("AUDIT_NOT_FINISHED", [f"audits/{audit_id}"], "has not finished")]
    return []


def _preconditions(kind: str, subjects: Iterable[str], sentence: str) -> Message:
    violations = (
        error_details_pb2.PreconditionFailure.Violation(type=kind, subject=subject, description=f"{subject} {sentence}")
        for subject in subjects
    )
    failure: Message = error_details_pb2.PreconditionFailure(violations=_fitting(violations))
    return failure


def _violation(found: Violation) -> Message:
    fields = {name: cut(text, _FACT_BYTES) for name, text in found._asdict().items()}
    violation: Message = error_details_pb2.BadRequest.FieldViolation(**fields)
    return violation


def _fitting(messages: Iterable[Message]) -> list[Message]:
    """Return the first of the messages, as many as metadata hold."""
    kept, left = [], _LIST_BYTES
    for message in messages:
        left -= message.ByteSize()
        if left < 0:
            break
        kept.append(message)
    return kept


def internal_status(request_id: str = "") -> status_pb2.Status:
    """Return the status of an unexpected error, which tells a client nothing of the inside but where to look."""
    details = [_packed(error_details_pb2.RequestInfo(request_id=request_id))] if request_id else []
    number: int = grpc.StatusCode.INTERNAL.value[0]
    return status_pb2.Status(code=number, message="the server failed; its log says why", details=details)


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
