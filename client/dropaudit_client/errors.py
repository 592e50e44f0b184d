"""Errors that the service can answer instead of a result."""

from __future__ import annotations

from collections.abc import Sequence


class ServiceError(Exception):
    """The service refused a call.

    Attributes:
        reason: stable word in capitals, from google.rpc.ErrorInfo; the status code's name when the server gave none.
        message: one sentence that says what to do.
        code: name of the gRPC status code, such as NOT_FOUND.
        facts: ErrorInfo's metadata.
        violations: fields that are wrong, such as `suite.schedule.cron`, each with a sentence.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        code: str,
        facts: dict[str, str] | None = None,
        violations: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.code = code
        self.facts = facts or {}
        self.violations = tuple(violations)


class ServiceUnavailable(ServiceError):
    """No server answers at the address, also after retries."""


class AuditNotMade(ServiceError):
    """An accepted audit ended FAILED or CANCELLED, so there is no report."""
