"""The server's certificates, read again when their files change."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import structlog

from dropaudit.errors import InvalidArgument

_log = structlog.get_logger(__name__)

# Of each file: when it was written, how long it is, and which one it is.
_State = list[tuple[int, int, int]]


class Certificates:
    """A certificate chain with its key, and authorities of clients where `client_ca` is given.

    Every new connection gets what the files hold by then; those that are open stay. Files that cannot be used, such as
    a new chain whose key is not there yet, change nothing.

    Raises:
        InvalidArgument: the files cannot be used at the start.
    """

    def __init__(self, chain: Path, key: Path, client_ca: Path | None = None) -> None:
        self._chain, self._key, self._client_ca = chain, key, client_ca
        # Before they are read: what is written meanwhile is read again.
        self._seen = self._state()
        self._first = self._read()

    def credentials(self) -> grpc.ServerCredentials:
        """Return what a port is opened with."""
        newer: Any = self.newer  # that None means no change is missing in grpc's types
        return grpc.dynamic_ssl_server_credentials(
            self._first, newer, require_client_authentication=self._client_ca is not None
        )

    def newer(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what the files hold, None when it is what they held before, or cannot be used."""
        try:
            state = self._state()
            if state == self._seen:
                return None
            # Also of files that cannot be used: they are told of once, and looked at again when they change.
            self._seen = state
            found = self._read()
        except InvalidArgument as error:
            _log.warning("the new certificates cannot be used; the server goes on with the old ones", why=error.message)
            return None
        _log.info("the certificates have changed")
        return found

    def _state(self) -> _State:
        try:
            found = [path.stat() for path in self._paths()]
        except OSError as error:
            raise _unreadable(error) from error
        return [(each.st_mtime_ns, each.st_size, each.st_ino) for each in found]

    def _read(self) -> grpc.ServerCertificateConfiguration:
        try:
            key, chain = self._key.read_bytes(), self._chain.read_bytes()
            roots = self._client_ca.read_bytes() if self._client_ca else None
            self._check()
        except OSError as error:
            raise _unreadable(error) from error
        return grpc.ssl_server_certificate_configuration([(key, chain)], roots)

    def _check(self) -> None:
        """Let OpenSSL read the files as gRPC will, which would say nothing."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # Without a password nobody is asked for one.
            context.load_cert_chain(self._chain, self._key, password="")
        except ssl.SSLError as error:
            sentence = f"{self._chain} and {self._key} are not a certificate with its key"
            raise InvalidArgument(f"{sentence}: {error.reason or error}", field="tls_certificate") from error
        try:
            if self._client_ca:
                context.load_verify_locations(self._client_ca)
        except ssl.SSLError as error:
            raise InvalidArgument(f"{self._client_ca} holds no certificates", field="tls_client_ca") from error

    def _paths(self) -> Sequence[Path]:
        return [path for path in (self._chain, self._key, self._client_ca) if path]


def _unreadable(error: OSError) -> InvalidArgument:
    return InvalidArgument(f"cannot read {error.filename}: {error.strerror}", field="tls_certificate")
