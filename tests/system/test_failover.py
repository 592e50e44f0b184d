"""Claims about the loss of Redis's master under load; `make failover` kills more of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dropaudit_chaos.failover.failover import FailoverPlan, run
from dropaudit_chaos.failover.group import RedisGroup, redis_group
from dropaudit_store.redis.connection import connect, connect_async
from dropaudit_store.redis.durability import warn_of_gaps
from support.services import eventually, worker

pytestmark = pytest.mark.system


def test_nothing_that_was_answered_is_lost_when_the_master_is_killed_under_load(tmp_path: Path) -> None:
    asked = FailoverPlan(failovers=1, audits=30, clients=3, seed=1, pause=0.3, kinds=6)
    outcome = run(asked, tmp_path, lambda _: None)
    assert outcome.ledger.lost == outcome.ledger.unknown == outcome.ledger.wrong == ()
    assert outcome.ledger.accepted == outcome.ledger.stored >= 30
    assert len(outcome.promoted) == len(outcome.served) == 1


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisGroup]:
    with redis_group(tmp_path_factory.mktemp("group")) as group:
        yield group


def test_a_beat_finds_the_master_by_its_sentinels(group: RedisGroup, tmp_path: Path) -> None:
    with connect(group.url) as client, worker(group.url, tmp_path, "beat"):
        eventually(lambda: client.llen("dropaudit"), "the beat sends no tick")


def test_sentinels_without_replicas_that_confirm_are_told_to_lose_something(group: RedisGroup) -> None:
    with connect(group.url) as client, capture_logs():
        (gap,) = warn_of_gaps(client)
    assert "set DROPAUDIT_REDIS_REPLICAS to 1 or more" in gap
    with connect(group.url, 1) as client, capture_logs():
        assert warn_of_gaps(client) == []


async def test_who_waits_for_events_finds_the_master_and_waits_for_a_free_connection(group: RedisGroup) -> None:
    waiting = connect_async(group.url)
    try:
        # Three times as many as there are connections.
        assert await asyncio.gather(*(waiting.ping() for _ in range(48))) == [True] * 48
    finally:
        await waiting.aclose()
