"""Whether Redis keeps what it is given, and what is lost where it does not."""

from __future__ import annotations

from typing import cast

import redis
import structlog
from redis.sentinel import SentinelConnectionPool

from dropaudit_store.errors import StoreError, redis_errors
from dropaudit_store.redis.replicated import ReplicatedRedis

_SETTINGS = ("appendonly", "appendfsync", "maxmemory-policy")

_UNCONFIRMED = (
    "Redis answers before a replica has what was written: what it has just accepted is lost when another takes its "
    "place; set DROPAUDIT_REDIS_REPLICAS to 1 or more"
)

_log = structlog.get_logger(__name__)


def durability_gaps(settings: dict[str, str]) -> list[str]:
    """Return a sentence for each of Redis's settings that lets something be lost; none where nothing is."""
    gaps = []
    if settings.get("appendonly") != "yes":
        gaps.append(
            "Redis keeps no append-only file: when it restarts, every audit and report since its last snapshot is "
            "lost; set appendonly yes"
        )
    elif settings.get("appendfsync") != "always":
        gaps.append(
            f"Redis answers before its append-only file is on the disk (appendfsync {settings.get('appendfsync')}): "
            "audits and reports of its last two seconds may be lost when it is killed, and of more when the machine "
            "fails; set appendfsync always"
        )
    if settings.get("maxmemory-policy") != "noeviction":
        gaps.append(
            f"Redis evicts what it chooses when its memory is full (maxmemory-policy {settings.get('maxmemory-policy')}"
            "): any audit or report may be lost; set maxmemory-policy noeviction"
        )
    return gaps


def warn_of_gaps(client: redis.Redis) -> list[str]:
    """Log what may be lost, and return it. A Redis that does not say, or is not there yet, is noted."""
    try:
        with redis_errors():
            # One by one: before version 7 Redis tells no more at a time.
            found = {name: text for each in _SETTINGS for name, text in client.config_get(each).items()}
    except (StoreError, redis.exceptions.RedisError) as error:
        _log.warning("whether Redis loses anything is not known: it does not tell its settings", error=str(error))
        return []
    gaps = durability_gaps(cast(dict[str, str], found))
    if isinstance(client.connection_pool, SentinelConnectionPool) and not isinstance(client, ReplicatedRedis):
        gaps.append(_UNCONFIRMED)
    for gap in gaps:
        _log.warning("accepted work may be lost", why=gap)
    return gaps
