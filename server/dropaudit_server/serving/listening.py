"""Where the server listens, and with which credentials."""

from __future__ import annotations

from pathlib import Path

import grpc
import structlog

from dropaudit.errors import InvalidArgument
from dropaudit_server.serving.addresses import is_loopback
from dropaudit_server.serving.certificates import Certificates
from dropaudit_server.settings import ServerSettings

_log = structlog.get_logger(__name__)


def listen(server: grpc.aio.Server, settings: ServerSettings) -> None:
    """Bind the server's address.

    Raises:
        InvalidArgument: the address cannot be used, certificates cannot be read, or anybody could call the service.
    """
    require_credentials(settings)
    credentials = _credentials(settings)
    try:
        if credentials is None:
            bound = server.add_insecure_port(settings.listen)
        else:
            bound = server.add_secure_port(settings.listen, credentials)
    except RuntimeError:
        bound = 0
    if bound == 0:
        raise InvalidArgument(f"cannot listen on {settings.listen}; choose another DROPAUDIT_LISTEN", field="listen")


def require_credentials(settings: ServerSettings) -> None:
    """Refuse to let everybody in unless a setting says so, or only this machine can call. Raises InvalidArgument."""
    if is_loopback(settings.listen):
        return
    if settings.tokens_file or settings.tls_client_ca:
        if not settings.tls_certificate:
            _log.warning("tokens travel unencrypted; set DROPAUDIT_TLS_CERTIFICATE, or put TLS in front")
    elif settings.allow_anonymous:
        _log.warning("anyone who can reach this address may do everything", address=settings.listen)
    else:
        raise InvalidArgument(
            f"refusing to listen on {settings.listen} without credentials: set DROPAUDIT_TOKENS_FILE or "
            "DROPAUDIT_TLS_CLIENT_CA, listen on 127.0.0.1, or say DROPAUDIT_ALLOW_ANONYMOUS=true",
            field="listen",
        )


def _credentials(settings: ServerSettings) -> grpc.ServerCredentials | None:
    if not settings.tls_certificate:
        return None
    if not settings.tls_key:
        raise InvalidArgument("DROPAUDIT_TLS_CERTIFICATE needs DROPAUDIT_TLS_KEY", field="tls_key")
    client_ca = Path(settings.tls_client_ca) if settings.tls_client_ca else None
    return Certificates(Path(settings.tls_certificate), Path(settings.tls_key), client_ca).credentials()
