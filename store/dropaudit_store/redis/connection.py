"""Connections to Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError
from redis.retry import Retry

from dropaudit_store.errors import ClusterRefused
from dropaudit_store.redis.replicated import ReplicatedRedis
from dropaudit_store.redis.sentinels import has_sentinels, sentinel_pool, sentinel_pool_async

_ANSWER_SECONDS = 5.0
_TIMES: dict[str, Any] = {"socket_connect_timeout": 2.0, "socket_timeout": _ANSWER_SECONDS}
_MOST_WAITING_CONNECTIONS = 16
PREFIX = "dropaudit:"


def connect(url: str, replicas: int = 0) -> redis.Redis:
    """Return a client that gives up soon: callers are told, and try again.

    Args:
        url: of one Redis, or of Sentinels.
        replicas: how many must have what is written before it is answered.
    """
    pool = _pool(url, decode_responses=True, health_check_interval=30)
    return ReplicatedRedis(pool, replicas) if replicas else redis.Redis.from_pool(pool)


def _pool(url: str, **options: Any) -> redis.ConnectionPool:
    if has_sentinels(url):
        return sentinel_pool(url, _TIMES, **options)
    # A master that has become a replica says so. By a new connection, the name in the URL may lead to another.
    again = Retry(NoBackoff(), 1, (ReadOnlyError,))
    return redis.ConnectionPool.from_url(url, retry=again, **_TIMES, **options)


def connect_async(url: str) -> redis.asyncio.Redis:
    """Return a client for waiting on events; a blocking read must be shorter than the answer may take.

    Who finds every connection in use waits for one: many begin to watch at once.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        "max_connections": _MOST_WAITING_CONNECTIONS,
        "timeout": _ANSWER_SECONDS,
    }
    if has_sentinels(url):
        return redis.asyncio.Redis.from_pool(sentinel_pool_async(url, _TIMES, **options))
    pool = redis.asyncio.BlockingConnectionPool.from_url(url, **_TIMES, **options)
    return redis.asyncio.Redis.from_pool(pool)


def refuse_cluster(client: redis.Redis) -> None:
    """Raise ClusterRefused when this is a node of a Redis Cluster. A Redis that does not say, or answer, may pass."""
    try:
        is_cluster = cast(dict[str, object], client.info("cluster")).get("cluster_enabled")
    except redis.exceptions.RedisError:
        return
    if is_cluster:
        raise ClusterRefused


def texts(answer: object) -> list[str]:
    """Return a list that Redis answered as the strings they are: the client decodes."""
    return [str(item) for item in cast(Iterable[object], answer)]


def key(*parts: str) -> str:
    """Return a key of this project."""
    return PREFIX + ":".join(parts)
