"""The typed client of the service, and the `dropaudit` command.

Names are loaded when they are first used, so that a local command never pays for gRPC.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropaudit_client.aio import AsyncAuditClient
    from dropaudit_client.channel import Security
    from dropaudit_client.client import AuditClient
    from dropaudit_client.errors import AuditNotMade, ServiceError, ServiceUnavailable

__all__ = ["AsyncAuditClient", "AuditClient", "AuditNotMade", "Security", "ServiceError", "ServiceUnavailable"]

_HOMES = {
    "AsyncAuditClient": "dropaudit_client.aio",
    "AuditClient": "dropaudit_client.client",
    "AuditNotMade": "dropaudit_client.errors",
    "Security": "dropaudit_client.channel",
    "ServiceError": "dropaudit_client.errors",
    "ServiceUnavailable": "dropaudit_client.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
