"""Fixtures of all tests: a real Redis, a store with a clock, and the rule for skipped tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
import redis

from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.redis.connection import connect
from support.clock import Clock
from support.s3 import Bucket, s3_server
from support.services import redis_server

pytest_plugins = ["support.skips", "support.slow", "support.golden"]

# Tests start processes while channels are open. gRPC's handlers would restart its threads in the child of the fork,
# which may then never come to start its program.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Redis for the whole session."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(shared_redis: str) -> str:
    """URL of an empty Redis."""
    with redis.Redis.from_url(shared_redis) as client:
        client.flushall()
    return shared_redis


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A connection to an empty Redis."""
    client = connect(redis_url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an S3 server for the whole session."""
    with s3_server(tmp_path_factory.mktemp("s3")) as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket, which this process and its children reach."""
    bucket = Bucket(uuid.uuid4().hex, s3_endpoint)
    for name, value in bucket.environ.items():
        monkeypatch.setenv(name, value)
    bucket.make()
    return bucket


@pytest.fixture
def clock() -> Clock:
    """The time of `store`."""
    return Clock()


@pytest.fixture
def store(redis_client: redis.Redis, clock: Clock) -> AuditStore:
    """Audits in an empty Redis."""
    return AuditStore(redis_client, clock, instants=clock)
