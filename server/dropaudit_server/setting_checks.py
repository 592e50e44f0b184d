"""Checks of single settings of the server, made when they are read, so that all that is wrong is said at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo

from dropaudit.errors import InvalidArgument
from dropaudit_server.interceptors.tokens import TokenFile
from dropaudit_server.serving.addresses import SOCKETS, has_port, is_loopback
from dropaudit_server.serving.certificates import Certificates


def listens(address: str) -> str:
    """Refuse what gRPC could not listen on."""
    if not address.startswith(SOCKETS):
        return _with_port(address)
    return address


def serves_http(address: str) -> str:
    """Refuse what HTTP could not be served on; empty: nowhere."""
    return _with_port(address) if address else ""


def serves_pages(address: str) -> str:
    """Refuse the dashboard where what it needs is not installed."""
    if address and find_spec("aiohttp") is None:
        raise ValueError("needs dropaudit[web], which is not installed")
    return serves_http(address)


def _with_port(address: str) -> str:
    if not has_port(address):
        raise ValueError("must be host:port, with a port from 0 to 65535")
    return address


def fits_certificate(key: str, info: ValidationInfo) -> str:
    """Refuse a certificate and a key that are not each other's, or one without the other."""
    chain = _known(info.data, "tls_certificate")
    if chain and not key:
        raise ValueError("DROPAUDIT_TLS_CERTIFICATE needs DROPAUDIT_TLS_KEY")
    if key and chain == "":
        raise ValueError("is given without DROPAUDIT_TLS_CERTIFICATE: calls would not be encrypted")
    if key and chain:
        _usable(chain, key, None)
    return key


def certifies(client_ca: str, info: ValidationInfo) -> str:
    """Refuse authorities of clients that cannot be read, or that no client would be asked for."""
    chain, key = _known(info.data, "tls_certificate"), _known(info.data, "tls_key")
    if client_ca and chain == "":
        raise ValueError("is given without DROPAUDIT_TLS_CERTIFICATE: nobody would be asked for a certificate")
    if client_ca and chain and key:
        _usable(chain, key, Path(client_ca))
    return client_ca


def _usable(chain: str, key: str, client_ca: Path | None) -> None:
    try:
        Certificates(Path(chain), Path(key), client_ca)
    except InvalidArgument as error:
        raise ValueError(error.message) from error


def lists_tokens(path: str) -> str:
    """Refuse a file that holds no tokens."""
    if path:
        try:
            TokenFile(Path(path))
        except InvalidArgument as error:
            raise ValueError(error.message) from error
    return path


def lets_nobody_in_unasked(allowed: bool, info: ValidationInfo) -> bool:
    """Refuse to let everybody call who reaches the address, unless that is said."""
    listen = _known(info.data, "listen")
    credentials = [_known(info.data, name) for name in ("tokens_file", "tls_client_ca")]
    # Of what is wrong itself it is not known what was meant.
    if allowed or listen is None or any(credentials) or None in credentials or is_loopback(listen):
        return allowed
    raise ValueError(
        f"refusing to listen on {listen} without credentials: set DROPAUDIT_TOKENS_FILE or DROPAUDIT_TLS_CLIENT_CA, "
        "listen on 127.0.0.1, or say DROPAUDIT_ALLOW_ANONYMOUS=true"
    )


def _known(data: Mapping[str, Any], name: str) -> str | None:
    """Return a setting that was read before; None where it is wrong itself."""
    return data.get(name)
