"""The whole service on this machine: Redis, server, worker and beat as children of this process.

Redis listens on a unix socket in a folder that only this user may enter: workers do what is written there.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from dropaudit.errors import AuditError, InvalidArgument
from dropaudit_client.local.private_folder import held_folder, socket_path
from dropaudit_client.local.private_redis import private_redis_command
from dropaudit_client.local.processes import Process

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
        socket: where Redis listens; nobody else may enter its folder.
        port: the server's port on loopback; 0 takes a free one.
        web: whether the server serves its dashboard too, on a free port.
    """

    def __init__(
        self, environ: Mapping[str, str], data: Path, socket: Path, port: int = 0, *, web: bool = False
    ) -> None:
        self.data = data.resolve()
        self.logs = self.data / "logs"
        self._socket = socket
        self.address = f"{LOOPBACK}:{_usable(port) if port else free_port()}"
        self.web_address = f"{LOOPBACK}:{free_port()}" if web else ""
        self.processes: list[Process] = []
        self._environ = {
            **_without_password_file(environ),
            "DROPAUDIT_REDIS_URL": self.redis_url,
            "DROPAUDIT_REDIS_FOLDER": str(self.data / "redis"),
            "DROPAUDIT_BLOB_URL": (self.data / "blobs").as_uri(),
            "DROPAUDIT_LISTEN": self.address,
            **({"DROPAUDIT_WEB_LISTEN": self.web_address} if web else {}),
        }

    @property
    def redis_url(self) -> str:
        """URL of its Redis."""
        # Imported here: the client installs without the store.
        from dropaudit_store.redis.urls import socket_url

        return socket_url(str(self._socket))

    def start(self) -> None:
        """Start everything and wait until it is healthy. Raises ServiceFailed."""
        self._launch("redis", private_redis_command(self._socket, self.data / "redis"))
        self._await("redis", lambda: _answers_ping(self._socket))
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


_FOLDERS = ("redis", "blobs", "logs")
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
def running(environ: Mapping[str, str], data: Path, port: int = 0, *, web: bool = False) -> Iterator[LocalService]:
    """Run the whole service while inside; nothing is left of it afterwards but the files in `data`.

    Raises:
        ServiceFailed: a part is not installed, or does not start.
        InvalidArgument: the port or the folder is in use, or others may write in the folder.
        UnreadableFile: the folder cannot be made, or belongs to somebody else.
    """
    require_parts(lambda name: find_spec(name) is not None)
    with ExitStack() as stack:
        stack.enter_context(held_folder(data, _FOLDERS))
        socket = stack.enter_context(socket_path(data.resolve() / "redis", "redis.sock"))
        service = LocalService(environ, data, socket, port, web=web)
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


def _without_password_file(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the password of some other Redis."""
    return {name: value for name, value in environ.items() if name != "DROPAUDIT_REDIS_PASSWORD_FILE"}


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _serves(address: str) -> bool:
    # Imported here: after the children were forked, since gRPC's threads do not survive a fork.
    from dropaudit_server.probe import health

    return health(address) == "SERVING"
