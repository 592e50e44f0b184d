"""Fixtures of the tests of reports: a worker behind the server."""

from __future__ import annotations

import time

import pytest
import redis

from support.batches import Batches
from support.clock import Clock


class RealTime(Clock):
    """The time of the server, which a test cannot turn."""

    def __call__(self) -> float:
        return time.time()


@pytest.fixture
def worker(redis_client: redis.Redis) -> Batches:
    """A worker behind the server, which the tests move by hand."""
    return Batches(redis_client, RealTime())
