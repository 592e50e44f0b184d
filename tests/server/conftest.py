"""A real server on a real Redis, for all tests of the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import redis

from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_store.audits.lifecycle import AuditStore
from support.batches import Batches
from support.clock import RealTime
from support.services import server

MAX_MODEL_BYTES = 4 << 20


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps blobs and its log."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def shared_server(shared_redis: str, server_folder: Path) -> Iterator[str]:
    with server(shared_redis, server_folder, max_model_bytes=MAX_MODEL_BYTES) as address:
        yield address


@pytest.fixture
def address(shared_server: str, redis_url: str) -> str:
    """Address of a server whose Redis is empty."""
    assert redis_url
    return shared_server


@pytest.fixture
def channel(address: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def stub(channel: grpc.Channel) -> AuditServiceStub:
    return AuditServiceStub(channel)


@pytest.fixture
def audits(redis_client: redis.Redis) -> AuditStore:
    """The store behind the server, for what a worker does."""
    return AuditStore(redis_client)


@pytest.fixture
def worker(redis_client: redis.Redis) -> Batches:
    """A worker behind the server, which the tests move by hand."""
    return Batches(redis_client, RealTime())
