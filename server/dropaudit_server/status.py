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
from dropaudit_server.access import PermissionDenied, TokenExpired, Unauthenticated
from dropaudit_server.inspecting import InspectionFailed, NotInspected
from dropaudit_server.stopping import ServerStopping
from dropaudit_server.violations import InvalidRequest
from dropaudit_store import errors

DOMAIN = "dropaudit"

# Looked up along the classes an error derives from, nearest first.
CODES: dict[type[BaseException], grpc.StatusCode] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    TokenExpired: grpc.StatusCode.UNAUTHENTICATED,
    PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    InspectionFailed: grpc.StatusCode.FAILED_PRECONDITION,
    NotInspected: grpc.StatusCode.UNAVAILABLE,
    ServerStopping: grpc.StatusCode.UNAVAILABLE,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.SuiteExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.RequestIdReused: grpc.StatusCode.ALREADY_EXISTS,
    errors.InUse: grpc.StatusCode.FAILED_PRECONDITION,
    errors.AuditNotFinished: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
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
_QUEUE_SECONDS = 10


def status_of(error: AuditError, request_id: str = "") -> status_pb2.Status:
    """Return code, message and details: ErrorInfo, and what else helps to do something about the error."""
    code = code_of(error)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.facts),
        *_details(error),
    ]
    seconds = _QUEUE_SECONDS if isinstance(error, errors.QueueFull) else _RETRY_SECONDS.get(code)
    if seconds is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=seconds)))
    if request_id:
        details.append(error_details_pb2.RequestInfo(request_id=request_id))
    number: int = code.value[0]
    return status_pb2.Status(code=number, message=error.message, details=map(_packed, details))


def _details(error: AuditError) -> list[Message]:
    """Return BadRequest where fields are wrong, PreconditionFailure where something else must happen first."""
    match error:
        case InvalidRequest(violations=violations):
            fields = [error_details_pb2.BadRequest.FieldViolation(**each._asdict()) for each in violations]
            return [error_details_pb2.BadRequest(field_violations=fields)]
        case errors.InUse(users=users):
            return [_preconditions("IN_USE", users, f"uses {error.resource}")]
        case errors.AuditNotFinished(audit_id=audit_id):
            return [_preconditions("AUDIT_NOT_FINISHED", [f"audits/{audit_id}"], "has not finished")]
    return []


def _preconditions(kind: str, subjects: Iterable[str], sentence: str) -> Message:
    violations = [
        error_details_pb2.PreconditionFailure.Violation(type=kind, subject=subject, description=f"{subject} {sentence}")
        for subject in subjects
    ]
    failure: Message = error_details_pb2.PreconditionFailure(violations=violations)
    return failure


def internal_status(request_id: str = "") -> status_pb2.Status:
    """Return the status of an unexpected error, which tells a client nothing of the inside but where to look."""
    details = [_packed(error_details_pb2.RequestInfo(request_id=request_id))] if request_id else []
    number: int = grpc.StatusCode.INTERNAL.value[0]
    return status_pb2.Status(code=number, message="the server failed; its log says why", details=details)


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
