"""What can be wrong with what an evaluation is given."""

from __future__ import annotations

from dropaudit.errors import AuditError


class InvalidLabels(AuditError):
    """The labels are no list of rows as the corpus format has them."""

    reason = "INVALID_LABELS"
