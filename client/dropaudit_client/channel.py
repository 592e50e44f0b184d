"""How channels are made: limits and retries, the same for both clients."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dropaudit.errors import UnreadableFile

if TYPE_CHECKING:
    import grpc

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT = 60.0

_SERVICE = "dropaudit.v1.AuditService"
_LARGEST_RESPONSE = 64 << 20
# With the pauses below, two seconds until a call without a server fails.
_CONNECT_MILLISECONDS = 1200

# A server that is not there is UNAVAILABLE; one that stops ends with CANCELLED what reaches it in that moment. Both are
# retried: every call but CreateSuite is idempotent, by its name, content or request id. A repeated deletion may find
# nothing left to delete.
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": _SERVICE}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        },
        {"name": [{"service": _SERVICE, "method": "CreateSuite"}]},
    ]
}


Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Security:
    """How a client shows who it is, and knows whom it talks to.

    Attributes:
        token: bearer token; empty for none. Without TLS it travels as it is.
        tls: whether to speak TLS; implied by the files below.
        ca: PEM file with the authorities that are trusted; the system's when absent.
        certificate: PEM file with the client's own certificate chain, for mutual TLS.
        key: PEM file with its key.
    """

    token: str = field(default="", repr=False)
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def metadata(self) -> Metadata:
        """Return what every call carries."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Return a channel's credentials, None without TLS. Raises UnreadableFile."""
        files = (self.ca, self.key, self.certificate)
        if not (self.tls or any(files)):
            return None
        # Imported here: the command reads this module for its options, and mostly calls no service.
        import grpc

        return grpc.ssl_channel_credentials(*(_content(path) if path else None for path in files))


NO_SECURITY = Security()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error


def channel_options() -> list[tuple[str, str | int]]:
    """Return the options of every channel to the service."""
    return [
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ("grpc.enable_retries", 1),
        ("grpc.max_receive_message_length", _LARGEST_RESPONSE),
        ("grpc.max_send_message_length", -1),
        # Who takes a connection and says nothing, or drops what is sent there, is not waited for longer at first; each
        # further try to connect may take longer.
        ("grpc.min_reconnect_backoff_ms", _CONNECT_MILLISECONDS),
        # A server that vanished is found while a watch waits.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    ]
