"""The checks of `python -m dropaudit_server --check`."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from dropaudit_server.interceptors.tokens import TokenFile
from dropaudit_server.settings import ServerSettings
from dropaudit_store.checks import check_blobs, check_redis, settings_ok
from dropaudit_store.redis.connection import key
from dropaudit_store.shared.program import Check, CheckFailed


def checks_of(settings: ServerSettings) -> Mapping[str, Check]:
    """Return the checks."""
    return {
        "settings": lambda: settings_ok(settings),
        "redis": lambda: check_redis(settings, key("check", "server")),
        "blobs": lambda: check_blobs(settings.blob_url),
        "certificates": lambda: _certificates(settings),
        "tokens": lambda: _tokens(settings.tokens_file),
    }


def _certificates(settings: ServerSettings) -> str:
    if not settings.tls_certificate:
        return f"none, as the settings say: {settings.listen} is not encrypted"
    until = valid_until(settings.tls_certificate, settings.tls_key)
    clients = "; clients must bring one" if settings.tls_client_ca else ""
    return f"valid until {until}{clients}"


def valid_until(chain: str, key_file: str) -> str:
    """Return until when a certificate is valid, after a handshake with it as a client would make one.

    Raises:
        CheckFailed: it has expired, is not valid yet, or is not its key's.
    """
    theirs, ours = (ssl.SSLContext(each) for each in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT))
    try:
        theirs.load_cert_chain(chain, key_file, password="")
        # Whom clients trust is their own matter: this one trusts the certificate itself.
        ours.load_verify_locations(cadata=Path(chain).read_text(encoding="ascii"))
        ours.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        ours.check_hostname = False
        found = _shaken_hands(theirs, ours)
    except ssl.SSLCertVerificationError as error:
        raise CheckFailed(f"the certificate is refused: {error.verify_message}") from error
    except (ssl.SSLError, OSError, ValueError) as error:
        raise CheckFailed(f"the certificate cannot be used: {error}") from error
    return found


def _shaken_hands(theirs: ssl.SSLContext, ours: ssl.SSLContext) -> str:
    """Let a server and a client meet in memory, and return when the server's certificate ends."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = theirs.wrap_bio(to_server, to_client, server_side=True)
    client = ours.wrap_bio(to_client, to_server)
    waiting = [client, server]
    while waiting:
        waiting = [side for side in waiting if not _is_done(side)]
    certificate = client.getpeercert() or {}
    return str(certificate.get("notAfter", ""))


def _is_done(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _tokens(path: str) -> str:
    if not path:
        return "none, as the settings say: whoever reaches the server may call"
    return f"{TokenFile(Path(path)).count} in the file"
