"""Real services for tests: Redis, the server, the whole service; each is gone when its block ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import grpc
import redis
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from dropaudit_client.local_service import free_port, redis_command
from dropaudit_client.processes import Process

START_SECONDS = 30.0
_GRACE_SECONDS = 8.0


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Run a Redis with its files in `folder`; yields its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    process = Process("redis", redis_command(port, folder), os.environ, folder / "redis.log")
    try:
        url = f"redis://127.0.0.1:{port}/0"
        eventually(lambda: answers(url), f"Redis does not start: {process.log}")
        yield url
    finally:
        process.stop(_GRACE_SECONDS)


def answers(redis_url: str) -> bool:
    """Whether a Redis answers."""
    with redis.Redis.from_url(redis_url) as client:
        try:
            return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False


@contextmanager
def server_process(environ: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Run `python -m dropaudit_server`; yields its address once it answers calls, healthy or not."""
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "dropaudit_server"]
    settings = {**os.environ, "DROPAUDIT_BLOB_URL": (folder / "blobs").as_uri(), "DROPAUDIT_LISTEN": address, **environ}
    process = Process("server", command, settings, folder / "server.log")
    try:
        eventually(lambda: health(address) is not None, f"the server does not start: {process.log}")
        yield address
    finally:
        process.stop(_GRACE_SECONDS)


def health(address: str) -> int | None:
    """Return what the health service says, None when nobody answers."""
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            return int(check(HealthCheckRequest(), timeout=1).status)
        except grpc.RpcError:
            return None


def eventually(holds: object, sentence: str, seconds: float = START_SECONDS) -> None:
    """Wait until a callable returns something true; fail with a sentence when it does not."""
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, sentence
        time.sleep(0.05)
