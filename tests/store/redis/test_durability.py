"""Claims about what is said of a Redis that may lose something."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from dropaudit_store.redis.connection import connect
from dropaudit_store.redis.durability import durability_gaps, warn_of_gaps
from support.services import redis_server

SAFE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


@pytest.mark.parametrize(
    ("name", "value", "lost"),
    [
        ("appendonly", "no", "since its last snapshot"),
        ("appendfsync", "everysec", "its last two seconds"),
        ("appendfsync", "no", "its last two seconds"),
        ("maxmemory-policy", "allkeys-lru", "any audit or report"),
    ],
)
def test_each_setting_that_loses_something_is_named_with_what_is_lost(name: str, value: str, lost: str) -> None:
    (gap,) = durability_gaps({**SAFE, name: value})
    assert lost in gap
    assert f"set {name} {SAFE[name]}" in gap


def test_a_redis_as_this_project_starts_it_loses_nothing(redis_client: redis.Redis) -> None:
    with capture_logs() as lines:
        assert warn_of_gaps(redis_client) == []
    assert lines == []


def test_a_real_redis_that_forgets_is_noticed(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, connect(url) as client:
        client.config_set("appendonly", "no")
        client.config_set("maxmemory-policy", "volatile-ttl")
        forgets, evicts = warn_of_gaps(client)
    assert "appendonly" in forgets
    assert "evicts" in evicts


def test_a_redis_that_is_not_there_stops_nobody() -> None:
    with capture_logs() as lines:
        assert warn_of_gaps(connect("redis://127.0.0.1:1/0")) == []
    assert [line["log_level"] for line in lines] == ["warning"]
