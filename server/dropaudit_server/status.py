"""One table from errors to gRPC status codes, and the details that go with them."""

from __future__ import annotations

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from dropaudit import errors as core
from dropaudit.errors import AuditError
from dropaudit_server import unserved
from dropaudit_server.violations import InvalidRequest
from dropaudit_store import errors

DOMAIN = "dropaudit"
_RETRY_SECONDS = 1

# Looked up along the classes an error derives from, nearest first.
CODES: dict[type[BaseException], grpc.StatusCode] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    unserved.NotServed: grpc.StatusCode.UNIMPLEMENTED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.SuiteExists: grpc.StatusCode.ALREADY_EXISTS,
    errors.RequestIdReused: grpc.StatusCode.ALREADY_EXISTS,
    errors.BlobMissing: grpc.StatusCode.FAILED_PRECONDITION,
    errors.DigestMismatch: grpc.StatusCode.INVALID_ARGUMENT,
    errors.ContentTooLarge: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StorageFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.StoreUnavailable: grpc.StatusCode.UNAVAILABLE,
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


def status_of(error: AuditError) -> status_pb2.Status:
    """Return code, message and details: ErrorInfo, BadRequest where fields are wrong, RetryInfo where waiting helps."""
    details = [_packed(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.facts))]
    if isinstance(error, InvalidRequest):
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=path, description=wrong)
            for path, wrong in error.violations
        ]
        details.append(_packed(error_details_pb2.BadRequest(field_violations=violations)))
    if code_of(error) is grpc.StatusCode.UNAVAILABLE:
        details.append(_packed(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=_RETRY_SECONDS))))
    code: int = code_of(error).value[0]
    return status_pb2.Status(code=code, message=error.message, details=details)


def internal_status() -> status_pb2.Status:
    """Return the status of an unexpected error, which tells a client nothing of the inside."""
    return status_pb2.Status(code=grpc.StatusCode.INTERNAL.value[0], message="the server failed; its log says why")


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
