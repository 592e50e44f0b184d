"""Options of the command that help with an error of the core, whose message names none."""

from __future__ import annotations

from dropaudit.errors import AuditError, ProviderUnavailable
from dropaudit.plan import Provider


def with_hint(error: AuditError) -> str:
    """Return the message of an error, with the option that helps."""
    no_device = isinstance(error, ProviderUnavailable) and error.facts.get("provider") == Provider.CUDA.value
    return f"{error.message} (--provider cpu)" if no_device else error.message
