"""The service's processes, each of which can be killed, stopped and started again where it was."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import redis

from dropaudit_chaos.proxy import Proxy
from dropaudit_client.local.private_redis import redis_command
from dropaudit_client.local.service import free_port
from dropaudit_server.probe import health
from dropaudit_store.redis.connection import connect

_GRACE_SECONDS = 20.0
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.02
# Some faults outlast a lease, some do not.
_SHORTEST_FAULT, _LONGEST_FAULT = 0.1, 3.0


def pause(rng: random.Random) -> None:
    """Let a fault last."""
    time.sleep(rng.uniform(_SHORTEST_FAULT, _LONGEST_FAULT))


class Part:
    """A process in a group of its own, started again with the same command."""

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = list(command)
        self._environ = {**os.environ, **environ}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, env=self._environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it with SIGKILL and wait until it is gone."""
        self.send(signal.SIGKILL)
        self._wait(None)

    @contextmanager
    def otherwise(
        self, *, module: str = "", arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None
    ) -> Iterator[None]:
        """Run another module in its place while inside, or the same in another environment."""
        command, own = self._command, self._environ
        self.stop()
        self._command = [*command[:2], module, *arguments, *command[3:]] if module else command
        self._environ = {**own, **(environ or {})}
        try:
            self.start()
            self._await_children()
            yield
        finally:
            self.stop()
            self._command, self._environ = command, own
            self.start()

    def become(self, environ: Mapping[str, str]) -> None:
        """Stop it, and start the same in another environment."""
        self.stop()
        self._environ = {**self._environ, **environ}
        self.start()

    def _await_children(self) -> None:
        """Wait until a worker works: what does not run by then is looked at by the books."""
        end = time.monotonic() + _GRACE_SECONDS
        while not self.children() and self.runs and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)

    def restart(self) -> None:
        """Ask it to stop, kill it when it does not, and start it again."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Ask it to stop; what is left of its group is killed."""
        if self._process is None:
            return
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._wait(_GRACE_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._wait(None)

    def children(self) -> list[psutil.Process]:
        """Return its children."""
        with suppress(psutil.NoSuchProcess):
            found: list[psutil.Process] = psutil.Process(self.pid).children()
            return found
        return []

    def sandboxes(self) -> list[psutil.Process]:
        """Return the processes that run models for its children."""
        found = []
        for child in self.children():
            with suppress(psutil.NoSuchProcess):
                # Where it has namespaces of its own, two processes wait for it.
                found += child.children(recursive=True)[-1:]
        return found

    def _wait(self, seconds: float | None) -> None:
        assert self._process is not None
        self._process.wait(seconds)


class Service:
    """Redis, a server behind a proxy, workers and beats. With a setting `redis_url`, that Redis is somebody else's."""

    def __init__(self, folder: Path, workers: int, beats: int, settings: Mapping[str, object]) -> None:
        self.folder = folder
        for name in ("redis", "blobs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        port, listen = free_port(), free_port()
        self._has_own_redis = "redis_url" not in settings
        self.redis_url = str(settings.get("redis_url", f"redis://127.0.0.1:{port}/0"))
        self.proxy = Proxy(listen)
        given = {"redis_url": self.redis_url, "blob_url": (folder / "blobs").as_uri(), "log_level": "INFO", **settings}
        environ = {f"DROPAUDIT_{name.upper()}": str(value) for name, value in given.items()}
        environ["DROPAUDIT_LISTEN"] = f"127.0.0.1:{listen}"
        self.environ = environ
        self.redis = Part("redis", redis_command(port, folder / "redis"), {}, folder / "redis.log")
        self.server = Part("server", [sys.executable, "-m", "dropaudit_server"], environ, folder / "server.log")
        self.workers = [_worker(f"worker{number}", [], environ, folder) for number in range(workers)]
        self.beats = [_worker(f"beat{number}", ["beat"], environ, folder) for number in range(beats)]
        self.client = connect(self.redis_url)

    @property
    def address(self) -> str:
        """Where clients call."""
        return self.proxy.address

    def start(self) -> None:
        """Start everything, Redis first, and wait until the server serves."""
        if self._has_own_redis:
            self.redis.start()
        self.await_redis()
        for part in (self.server, *self.workers, *self.beats):
            part.start()
        end = time.monotonic() + _START_SECONDS
        while health(self.address) != "SERVING" and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)

    def await_redis(self) -> None:
        """Wait until Redis has loaded what it keeps."""
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.client.ping()
                return
            except redis.exceptions.RedisError:
                if time.monotonic() > end:
                    raise
                time.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """Stop everything, Redis last."""
        for part in (*self.beats, *self.workers, self.server):
            part.send(signal.SIGCONT)
            part.send(signal.SIGTERM)
        for part in (*self.beats, *self.workers, self.server, self.redis):
            part.stop()
        self.proxy.close()
        self.client.close()


def _worker(name: str, arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> Part:
    return Part(name, [sys.executable, "-m", "dropaudit_worker", *arguments], environ, folder / f"{name}.log")


@contextmanager
def serving(folder: Path, workers: int, **settings: object) -> Iterator[Service]:
    """Run a service without beats while inside."""
    with serving_beats(folder, workers, 0, **settings) as service:
        yield service


@contextmanager
def serving_beats(folder: Path, workers: int, beats: int, **settings: object) -> Iterator[Service]:
    """Run a service while inside."""
    service = Service(folder, workers, beats, settings)
    try:
        service.start()
        yield service
    finally:
        service.stop()
