"""The condition of Redis, as it reports it itself."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from dropaudit_store.errors import redis_errors


@dataclass(frozen=True, slots=True)
class RedisCondition:
    """The condition of Redis.

    Attributes:
        version: of Redis, or of what speaks as it does.
        used: memory that it takes, in bytes.
        maximum: memory that it may take; 0 for any.
        clients: connections that are open.
        writes: whether its append-only file was written when it last tried to.
    """

    version: str
    used: int
    maximum: int
    clients: int
    writes: bool


def read_condition(client: redis.Redis) -> RedisCondition:
    """Ask Redis. Raises StoreUnavailable."""
    with redis_errors():
        found = client.info()
    return RedisCondition(
        version=str(found.get("redis_version", "")),
        used=int(found.get("used_memory", 0)),
        maximum=int(found.get("maxmemory", 0)),
        clients=int(found.get("connected_clients", 0)),
        writes=found.get("aof_last_write_status", "ok") == "ok",
    )
