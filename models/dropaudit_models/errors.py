"""Errors of making models, beside the core's errors."""

from __future__ import annotations

from dropaudit.errors import AuditError


class FrameworkMissing(AuditError):
    """The training framework that a model comes from is not installed here."""

    reason = "FRAMEWORK_MISSING"


class ExportFailed(AuditError):
    """A framework's exporter refused a model, or its result is not the model."""

    reason = "EXPORT_FAILED"
