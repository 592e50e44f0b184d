"""How channels are made: limits and retries, the same for both clients."""

from __future__ import annotations

import json

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT = 60.0

_SERVICE = "dropaudit.v1.AuditService"
_LARGEST_RESPONSE = 64 << 20

# UNAVAILABLE alone is retried: every call but CreateSuite is idempotent, by its name, content or request id.
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": _SERVICE}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        },
        {"name": [{"service": _SERVICE, "method": "CreateSuite"}]},
    ]
}


def channel_options() -> list[tuple[str, str | int]]:
    """Return the options of every channel to the service."""
    return [
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ("grpc.enable_retries", 1),
        ("grpc.max_receive_message_length", _LARGEST_RESPONSE),
        ("grpc.max_send_message_length", -1),
    ]
