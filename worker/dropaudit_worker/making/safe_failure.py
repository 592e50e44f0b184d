"""Failures as they are stored: a message may quote a model, and is read in terminals and pages."""

from __future__ import annotations

from dropaudit.errors import AuditError
from dropaudit.safe_text import safe
from dropaudit_store.records import Failure

_MOST_BYTES = 1000


def safe_failure(found: AuditError | Failure) -> Failure:
    """Return a failure with a message that is safe to print, and not long."""
    return Failure(reason=found.reason, message=safe(found.message, _MOST_BYTES))
