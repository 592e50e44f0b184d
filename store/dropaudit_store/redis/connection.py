"""Connections to Redis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import redis
import redis.asyncio

from dropaudit_store.errors import ClusterRefused

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
_MOST_WAITING_CONNECTIONS = 16
PREFIX = "dropaudit:"


def connect(url: str) -> redis.Redis:
    """Return a client that gives up soon: callers are told, and try again."""
    return redis.Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        health_check_interval=30,
    )


def connect_async(url: str) -> redis.asyncio.Redis:
    """Return a client for waiting on events; a blocking read must be shorter than the answer may take.

    Who finds every connection in use waits for one: many begin to watch at once.
    """
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        max_connections=_MOST_WAITING_CONNECTIONS,
        timeout=_ANSWER_SECONDS,
    )
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
