"""Claims about what Redis says of its own condition."""

from __future__ import annotations

import pytest
import redis

from dropaudit_client.local.service import free_port
from dropaudit_store.errors import StoreUnavailable
from dropaudit_store.redis.condition import read_condition
from dropaudit_store.redis.connection import connect


def test_memory_and_its_limit_are_told_in_bytes(redis_client: redis.Redis) -> None:
    redis_client.config_set("maxmemory", "100mb")
    try:
        found = read_condition(redis_client)
    finally:
        redis_client.config_set("maxmemory", "0")
    assert found.maximum == 100 * 2**20
    assert 0 < found.used < found.maximum
    assert (found.writes, found.clients > 0, bool(found.version)) == (True, True, True)


def test_a_redis_that_is_gone_is_said_to_be() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as client, pytest.raises(StoreUnavailable):
        read_condition(client)
