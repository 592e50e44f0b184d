"""Errors in the input of an evaluation."""

from __future__ import annotations

from dropaudit.errors import AuditError


class InvalidLabels(AuditError):
    """The labels are not a list of rows as the corpus format has them."""

    reason = "INVALID_LABELS"
