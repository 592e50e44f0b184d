"""Suites and runs in an empty Redis."""

from __future__ import annotations

import pytest
import redis

from support.batches import Batches
from support.clock import Clock


@pytest.fixture
def batches(redis_client: redis.Redis, clock: Clock) -> Batches:
    return Batches(redis_client, clock)
