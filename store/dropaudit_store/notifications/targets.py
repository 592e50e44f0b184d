"""URLs that notifications are posted to, and the addresses behind them.

Whoever may write a suite chooses its URLs, and the worker that posts to them stands in a network of its own: without
care it would knock on doors there for anybody. So a URL is taken apart once, every address of its host is looked at,
and the connection goes to an address that was looked at, whatever the name says a moment later.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from dropaudit.errors import AuditError

LONGEST_URL = 2048
_PORTS = {"http": 80, "https": 443}
# Addresses of IPv6 that hold one of IPv4: NAT64 and 6to4.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""From a host and a port to its addresses; raises OSError."""


class ForbiddenTarget(AuditError):
    """A notification may not go there."""

    reason = "FORBIDDEN_TARGET"


class UnreachableTarget(AuditError):
    """The host of a target has no address at the moment."""

    reason = "UNREACHABLE_TARGET"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart; `path` has the query, and the host is in ASCII."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The host as a request names it: with its port, unless that is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str) -> Target:
    """Take a URL apart.

    Raises:
        ForbiddenTarget: it is not http or https, has no host, holds credentials, or characters that no URL has.
    """
    if len(url) > LONGEST_URL or not url.isascii() or any(char <= " " or char == "\x7f" for char in url):
        raise ForbiddenTarget(f"a URL has at most {LONGEST_URL} characters, all of them visible ASCII")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenTarget(f"it is not a URL: {error}") from error
    if parts.scheme not in _PORTS or not host:
        raise ForbiddenTarget("notifications go to URLs with http or https and a host")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenTarget("a URL for notifications holds no user or password")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, path)


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def checked_addresses(target: Target, *, allow_private: bool, resolving: Resolve = resolve) -> list[Address]:
    """Return the addresses to connect to.

    Args:
        allow_private: whether addresses of private networks, of this machine and of its link are allowed.
        resolving: asked once; a name that changes its mind later changes nothing.

    Raises:
        UnreachableTarget: the host has no address.
        ForbiddenTarget: one of its addresses is not allowed; one is enough.
    """
    try:
        found = [ipaddress.ip_address(each.partition("%")[0]) for each in resolving(target.host, target.port)]
    except (OSError, UnicodeError) as error:
        raise UnreachableTarget(f"{target.host} has no address: {error}") from error
    if not found:
        raise UnreachableTarget(f"{target.host} has no address")
    wrong = [each for each in found if not is_allowed(each, allow_private=allow_private)]
    if wrong:
        raise ForbiddenTarget(f"{target.host} has the address {wrong[0]}, where notifications may not go")
    return found


def is_allowed(address: Address, *, allow_private: bool) -> bool:
    """Whether notifications may go to an address; never to one that stands for many machines, or for none."""
    inner = _inner(address)
    if inner.is_multicast or inner.is_unspecified or inner == ipaddress.IPv4Address("255.255.255.255"):
        return False
    site_local = isinstance(inner, ipaddress.IPv6Address) and inner.is_site_local
    return allow_private or (inner.is_global and not inner.is_reserved and not site_local)


def _inner(address: Address) -> Address:
    """Return the address of IPv4 that one of IPv6 stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def shown_url(url: str) -> str:
    """Return a URL without what may stand for a secret in it: its path beyond the first part, and its query."""
    parts = urlsplit(url)
    first = parts.path.split("/")[1] if parts.path.count("/") else ""
    whole = parts.path in ("", "/", f"/{first}") and not parts.query
    return url if whole else f"{parts.scheme}://{parts.netloc}/{first}/…"
