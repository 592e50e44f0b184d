"""Real services for tests: Redis, the server, workers; each is gone when its block ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import redis

from dropaudit_client.local.private_redis import redis_command
from dropaudit_client.local.processes import Process
from dropaudit_client.local.service import free_port
from dropaudit_server.probe import health

START_SECONDS = 30.0
_GRACE_SECONDS = 8.0


@contextmanager
def process(name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> Iterator[Process]:
    """Run a program until the block ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    started = Process(name, command, {**os.environ, **environ}, log)
    try:
        yield started
    finally:
        started.stop(_GRACE_SECONDS)


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Run a Redis with its files in `folder`; yields its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    with process("redis", redis_command(port, folder), {}, folder / "redis.log") as started:
        url = f"redis://127.0.0.1:{port}/0"
        eventually(lambda: answers(url), f"Redis does not start: {started.log}")
        yield url


def serving(address: str) -> bool:
    """Whether a server says that it serves."""
    return health(address) == "SERVING"


def answers(redis_url: str) -> bool:
    """Whether a Redis answers."""
    with redis.Redis.from_url(redis_url) as client:
        try:
            return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False


@contextmanager
def server_process(
    redis_url: str, folder: Path, *, ready: Callable[[str], object] = health, **settings: object
) -> Iterator[tuple[Process, str]]:
    """Run `python -m dropaudit_server`, blobs in `folder`; yields it and its address once it is ready.

    Args:
        ready: asked for the address until it says more than None or False; by default, once health is answered,
            good or bad.
    """
    address = str(settings.pop("listen", f"127.0.0.1:{free_port()}"))
    command = [sys.executable, "-m", "dropaudit_server"]
    environ = environment(redis_url, folder, listen=address, **settings)
    with process("server", command, environ, folder / "server.log") as started:
        eventually(lambda: ready(address) not in (None, False), f"the server does not start: {started.log}")
        yield started, address


@contextmanager
def server(
    redis_url: str, folder: Path, *, ready: Callable[[str], object] = health, **settings: object
) -> Iterator[str]:
    """Run a server as `server_process` does; yields its address."""
    with server_process(redis_url, folder, ready=ready, **settings) as (_, address):
        yield address


@contextmanager
def dashboard(redis_url: str, folder: Path, **settings: object) -> Iterator[tuple[str, str]]:
    """Run a server with a dashboard; yields the dashboard's URL, and the server's address."""
    web = f"127.0.0.1:{free_port()}"
    with server(redis_url, folder, ready=health, web_listen=web, **settings) as address:
        yield f"http://{web}", address


@contextmanager
def worker(redis_url: str, folder: Path, role: str = "worker", **settings: object) -> Iterator[Process]:
    """Run `python -m dropaudit_worker` as a worker or as the beat, blobs in `folder`."""
    command = [sys.executable, "-m", "dropaudit_worker", role]
    # A process of its own log: several may share a folder.
    log = folder / f"{role}-{time.monotonic_ns()}.log"
    with process(role, command, environment(redis_url, folder, **settings), log) as started:
        yield started


def environment(redis_url: str, folder: Path, /, **settings: object) -> dict[str, str]:
    """Return the variables of a server or a worker."""
    given = {"redis_url": redis_url, "blob_url": (folder / "blobs").as_uri(), **settings}
    return {f"DROPAUDIT_{name.upper()}": str(value) for name, value in given.items()}


def eventually(holds: Callable[[], object], sentence: str, seconds: float = START_SECONDS) -> None:
    """Wait until a callable returns something true; fail with a sentence when it does not."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, sentence
        time.sleep(0.05)
