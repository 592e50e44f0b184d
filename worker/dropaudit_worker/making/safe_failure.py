"""Failures as they are stored: a message may quote a model, and is read in terminals and pages."""

from __future__ import annotations

from dropaudit.errors import AuditError, OutOfMemory
from dropaudit.safe_text import safe
from dropaudit_store.records import Failure

_MOST_BYTES = 900
# By reason, the worker's setting that decides; the core knows no settings.
_SETTINGS = {OutOfMemory.reason: " (DROPAUDIT_MEMORY_LIMIT_MEBIBYTES of the workers)"}


def safe_failure(found: AuditError | Failure) -> Failure:
    """Return a failure with a message that is safe to print and not long, and with the worker's setting that helps."""
    return Failure(reason=found.reason, message=safe(found.message, _MOST_BYTES) + _SETTINGS.get(found.reason, ""))
