"""Redis behind Sentinels: several servers of which one is the master, and which one that is the Sentinels say.

`redis+sentinel://worker@sentinel1:26379,sentinel2:26379/mymaster/0`: Redis's user, the Sentinels, the name under which
they watch the master, and the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel

SENTINEL_SCHEMES = ("redis+sentinel://", "rediss+sentinel://")
_PORT = 26379
_PASSWORD = "sentinel_password"
_FORM = "redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DATABASE"


@dataclass(frozen=True, slots=True)
class SentinelUrl:
    """Where the Sentinels are, and whom to ask them for; `sentinel_password` is their own, not Redis's.

    With `tls`, Redis and the Sentinels are spoken to over TLS.
    """

    hosts: tuple[tuple[str, int], ...]
    master: str
    database: int
    user: str | None
    password: str | None
    sentinel_password: str | None
    tls: bool

    @property
    def of_sentinels(self) -> dict[str, Any]:
        """Options of connections to the Sentinels, except timeouts."""
        found: dict[str, Any] = {"password": self.sentinel_password} if self.sentinel_password else {}
        return {**found, "ssl": True} if self.tls else found

    @property
    def of_redis(self) -> dict[str, Any]:
        """Options of connections to Redis, except timeouts."""
        found = {"db": self.database, "username": self.user, "password": self.password}
        return {**found, "ssl": True} if self.tls else found

    @property
    def broker_url(self) -> str:
        """The URLs by which Celery reaches the Sentinels."""
        user = quote(self.user or "", safe="")
        secret = f"{user}:{quote(self.password, safe='')}@" if self.password else f"{user}@" if user else ""
        return ";".join(f"sentinel://{secret}{_bracketed(host)}:{port}/{self.database}" for host, port in self.hosts)


def has_sentinels(url: str) -> bool:
    """Whether a URL names Sentinels."""
    return url.startswith(SENTINEL_SCHEMES)


def parse_sentinel_url(url: str) -> SentinelUrl:
    """Read a URL. Raises ValueError with a sentence that shows no password."""
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    master, _, database = parts.path.removeprefix("/").partition("/")
    if not master or not (database or "0").isdecimal():
        raise ValueError(f"must have the form {_FORM}: it names no master, or no database by its number")
    return SentinelUrl(
        hosts=tuple(map(_host, hosts.split(","))),
        master=unquote(master),
        database=int(database or "0"),
        user=unquote(user) or None,
        password=unquote(password) or None,
        sentinel_password=next(iter(parse_qs(parts.query).get(_PASSWORD, ())), None),
        tls=parts.scheme.startswith("rediss"),
    )


def with_sentinel_password(url: str, password: str) -> str:
    """Return a URL with the password that the Sentinels ask for."""
    return urlsplit(url)._replace(query=urlencode({_PASSWORD: password})).geturl()


class _Pool(redis.sentinel.SentinelConnectionPool):
    """Connections that are closed together with those to the Sentinels."""

    def disconnect(self, inuse_connections: bool = True) -> None:
        super().disconnect(inuse_connections)
        # Other threads may ask at this moment: another master is the occasion as well.
        for sentinel in self.sentinel_manager.sentinels:
            sentinel.connection_pool.disconnect(inuse_connections)


class _WaitingPool(redis.asyncio.sentinel.SentinelConnectionPool, redis.asyncio.BlockingConnectionPool):
    """The same for asyncio; who finds every connection in use waits for one."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        for sentinel in self.sentinel_manager.sentinels:
            await sentinel.connection_pool.disconnect(inuse_connections)


# redis-py says nothing of the types of what these take.
_SENTINELS, _POOL = cast(Any, redis.sentinel.Sentinel), cast(Any, _Pool)
_SENTINELS_ASYNC, _POOL_ASYNC = cast(Any, redis.asyncio.sentinel.Sentinel), cast(Any, _WaitingPool)


def sentinel_pool(url: str, times: dict[str, Any], **options: Any) -> redis.sentinel.SentinelConnectionPool:
    """Return connections to whichever Redis is the master when each of them is made."""
    place = parse_sentinel_url(url)
    kept = {**times, **place.of_redis, **options}
    sentinels = _SENTINELS(place.hosts, sentinel_kwargs={**times, **place.of_sentinels})
    return cast(redis.sentinel.SentinelConnectionPool, _POOL(place.master, sentinels, **kept))


def sentinel_pool_async(url: str, times: dict[str, Any], **options: Any) -> redis.asyncio.ConnectionPool:
    """Return the same for asyncio; who finds every connection in use waits for one."""
    place = parse_sentinel_url(url)
    kept = {**times, **place.of_redis, **options}
    sentinels = _SENTINELS_ASYNC(place.hosts, sentinel_kwargs={**times, **place.of_sentinels})
    return cast(redis.asyncio.ConnectionPool, _POOL_ASYNC(place.master, sentinels, **kept))


def _host(text: str) -> tuple[str, int]:
    # An address of IPv6 stands in brackets, since it has colons itself.
    host, _, port = text.rpartition(":") if text.rpartition(":")[2].isdecimal() else (text, "", "")
    host = host.removeprefix("[").removesuffix("]")
    if not host or (port and not 0 < int(port) < 65536):
        raise ValueError(f"must have the form {_FORM}: a Sentinel has no host, or a port that cannot be")
    return host, int(port or _PORT)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
