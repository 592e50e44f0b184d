"""The whole service on this machine: Redis, server, worker and beat on loopback, as children of this process."""

from __future__ import annotations

import fcntl
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from dropaudit.errors import AuditError, InvalidArgument, UnreadableFile
from dropaudit_client.processes import Process

LOOPBACK = "127.0.0.1"
_START_SECONDS = 60.0
_GRACE_SECONDS = 8.0
_POLL_SECONDS = 0.1
_LOOK_SECONDS = 0.2

T = TypeVar("T")


class ServiceFailed(AuditError):
    """A part of the local service could not be started, or ended."""

    reason = "SERVICE_FAILED"


class LocalService:
    """Redis, server, worker and beat. Use `running`, which starts and surely stops them.

    Args:
        environ: what the children inherit; the addresses are added.
        data: folder for Redis's files, blobs and logs.
        port: the server's port on loopback; 0 takes a free one.
    """

    def __init__(self, environ: Mapping[str, str], data: Path, port: int = 0) -> None:
        self.data = data.resolve()
        self.logs = self.data / "logs"
        self.redis_port = free_port()
        self.address = f"{LOOPBACK}:{_usable(port) if port else free_port()}"
        self.processes: list[Process] = []
        self._environ = {
            **environ,
            "DROPAUDIT_REDIS_URL": f"redis://{LOOPBACK}:{self.redis_port}/0",
            "DROPAUDIT_REDIS_FOLDER": str(self.data / "redis"),
            "DROPAUDIT_BLOB_URL": (self.data / "blobs").as_uri(),
            "DROPAUDIT_LISTEN": self.address,
        }

    def start(self) -> None:
        """Start everything and wait until it is healthy. Raises ServiceFailed."""
        self._launch("redis", redis_command(self.redis_port, self.data / "redis"))
        self._await("redis", lambda: _answers_ping(self.redis_port))
        for name, arguments in _PARTS.items():
            self._launch(name, [sys.executable, "-m", *arguments])
        self._await("server", lambda: _serves(self.address))

    def check(self) -> None:
        """Raise ServiceFailed when a part has ended."""
        for process in self.processes:
            if (status := process.exit_status()) is not None:
                raise ServiceFailed(
                    f"{process.name} ended with status {status}; its log is {process.log}\n{process.last_words()}",
                    part=process.name,
                )

    def stop(self) -> None:
        """Stop everything: Redis last, since the others say goodbye to it."""
        for process in self.processes[1:]:
            process.ask_to_stop()
        for process in reversed(self.processes):
            process.stop(_GRACE_SECONDS)
        self.processes.clear()

    def _launch(self, name: str, command: Sequence[str]) -> None:
        self.processes.append(Process(name, command, self._environ, self.logs / f"{name}.log"))

    def _await(self, name: str, healthy: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not healthy():
            self.check()
            if time.monotonic() > deadline:
                raise ServiceFailed(f"{name} is not healthy after {_START_SECONDS:.0f} s; logs are in {self.logs}")
            time.sleep(_POLL_SECONDS)


_PARTS = {
    "server": ("dropaudit_server",),
    "worker": ("dropaudit_worker", "worker"),
    "beat": ("dropaudit_worker", "beat"),
}


def require_parts(is_installed: Callable[[str], bool]) -> None:
    """Raise ServiceFailed when a part of the service is not installed: the client alone runs none."""
    missing = [name for name in ("redis", "grpc_health", "celery", "redbeat") if not is_installed(name)]
    if missing:
        raise ServiceFailed(
            f"the service is not installed here ({', '.join(missing)} missing); install dropaudit[local,cpu], "
            "or call a service elsewhere with --address"
        )


@contextmanager
def running(environ: Mapping[str, str], data: Path, port: int = 0) -> Iterator[LocalService]:
    """Run the whole service while inside; nothing is left of it afterwards but the files in `data`.

    Raises:
        ServiceFailed: a part is not installed, or does not start.
        InvalidArgument: the port or the folder is in use.
        UnreadableFile: the folder cannot be made.
    """
    require_parts(lambda name: find_spec(name) is not None)
    with ExitStack() as stack:
        stack.enter_context(_own_folder(data))
        service = LocalService(environ, data, port)
        stack.callback(service.stop)
        service.start()
        yield service


def while_running(service: LocalService, work: Callable[[], T]) -> T:
    """Return what `work` returns, unless a part of the service ends before: work that waits for it would never end.

    Raises:
        ServiceFailed: a part ended.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        result = pool.submit(work)
        while not wait([result], timeout=_LOOK_SECONDS).done:
            try:
                service.check()
            except ServiceFailed:
                # Without the server the calls that `work` waits for end.
                service.stop()
                raise
        return result.result()


def redis_command(port: int, folder: Path) -> list[str]:
    """Return the command of a Redis that loses nothing: an append-only file, and no eviction."""
    # Imported here: the client installs without the store.
    from dropaudit_store.redis_server import find_redis_server

    settings = {
        "port": str(port),
        "bind": LOOPBACK,
        "dir": str(folder),
        "appendonly": "yes",
        # Before it answers: what was accepted is on the disk.
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    pairs = (word for key, value in settings.items() for word in (f"--{key}", value))
    return [str(find_redis_server()), *pairs]


def free_port() -> int:
    """Return a TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _usable(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise InvalidArgument(f"port {port} cannot be used: {error.strerror}; give another --port") from error
    return port


@contextmanager
def _own_folder(data: Path) -> Iterator[None]:
    """Make the folders and hold a lock on them: two Redis servers on one append-only file would destroy it."""
    try:
        for part in ("redis", "blobs", "logs"):
            (data / part).mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w", encoding="utf-8")
    except OSError as error:
        raise UnreadableFile(f"cannot use {data}: {error.strerror or error}", path=str(data)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidArgument(f"another `dropaudit up` uses {data}; give another --data") from error
        yield


def _answers_ping(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _serves(address: str) -> bool:
    # Imported here: after the children were forked, since gRPC's threads do not survive a fork.
    from dropaudit_server.probe import health

    return health(address) == "SERVING"
