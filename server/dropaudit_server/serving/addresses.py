"""Addresses that the server listens on, and who can call them."""

from __future__ import annotations

import ipaddress

_HIGHEST_PORT = 65535
SOCKETS = ("unix:", "unix-abstract:")


def is_loopback(address: str) -> bool:
    """Whether only this machine can call an address, `host:port` or `unix:path`."""
    if address.startswith(SOCKETS):
        return True
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def has_port(address: str) -> bool:
    """Whether an address is `host:port` with a port that there is."""
    _, colon, port = address.rpartition(":")
    return bool(colon) and port.isascii() and port.isdigit() and int(port) <= _HIGHEST_PORT
