"""Faults of processes and connections, by name."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil
import redis

from dropaudit_chaos.parts import Part, Service, pause
from dropaudit_chaos.special_faults.clocks import skew_worker
from dropaudit_chaos.special_faults.disks import fill_content_disk, fill_redis_disk
from dropaudit_chaos.special_faults.versions import is_available, other_version
from dropaudit_chaos.special_faults.watchers import delete_watched, leave_watches

Fault = Callable[[Service, random.Random], None]

_DOWN_SECONDS = 0.2


def kill_child(service: Service, rng: random.Random) -> None:
    """SIGKILL a worker's child."""
    for child in _child(service, rng):
        child.kill()


def stop_child(service: Service, rng: random.Random) -> None:
    """SIGSTOP a worker's child for a while."""
    for child in _child(service, rng):
        child.suspend()
        pause(rng)
        with suppress(psutil.NoSuchProcess):
            child.resume()


def _child(service: Service, rng: random.Random) -> list[psutil.Process]:
    found = [child for worker in service.workers for child in worker.children()]
    return [rng.choice(found)] if found else []


def kill_sandbox(service: Service, rng: random.Random) -> None:
    """SIGKILL the process that runs a child's models."""
    for process in _sandbox(service, rng):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def stop_sandbox(service: Service, rng: random.Random) -> None:
    """SIGSTOP the process that runs a child's models for a while."""
    for process in _sandbox(service, rng):
        with suppress(psutil.NoSuchProcess):
            process.suspend()
        pause(rng)
        with suppress(psutil.NoSuchProcess):
            process.resume()


def _sandbox(service: Service, rng: random.Random) -> list[psutil.Process]:
    found = [process for worker in service.workers for process in worker.sandboxes()]
    return [rng.choice(found)] if found else []


def kill_worker(service: Service, rng: random.Random) -> None:
    """SIGKILL a worker's parent, and start another."""
    _kill(rng.choice(service.workers))


def kill_server(service: Service, _: random.Random) -> None:
    """SIGKILL the server, and start another."""
    _kill(service.server)


def kill_redis(service: Service, _: random.Random) -> None:
    """SIGKILL Redis, and start another on its files."""
    _kill(service.redis)
    service.await_redis()


def _kill(part: Part) -> None:
    part.kill()
    time.sleep(_DOWN_SECONDS)
    part.start()


def restart_worker(service: Service, rng: random.Random) -> None:
    """Ask a worker to stop, and start another."""
    rng.choice(service.workers).restart()


def restart_server(service: Service, _: random.Random) -> None:
    """Ask the server to stop, and start another."""
    service.server.restart()


def restart_redis(service: Service, _: random.Random) -> None:
    """Ask Redis to stop, and start another on its files."""
    service.redis.restart()
    service.await_redis()


def stop_worker(service: Service, rng: random.Random) -> None:
    """SIGSTOP a worker's parent and children for a while."""
    worker = rng.choice(service.workers)
    worker.send(signal.SIGSTOP)
    for child in worker.children():
        child.suspend()
    pause(rng)
    for child in worker.children():
        child.resume()
    worker.send(signal.SIGCONT)


def stop_server(service: Service, rng: random.Random) -> None:
    """SIGSTOP the server for a while."""
    _stop(service.server, rng)


def stop_redis(service: Service, rng: random.Random) -> None:
    """SIGSTOP Redis for a while."""
    _stop(service.redis, rng)


def _stop(part: Part, rng: random.Random) -> None:
    part.send(signal.SIGSTOP)
    pause(rng)
    part.send(signal.SIGCONT)


def cut_clients(service: Service, _: random.Random) -> None:
    """Reset every client's connection to the server."""
    service.proxy.cut()


def cut_redis(service: Service, _: random.Random) -> None:
    """Have Redis close every connection to it."""
    with suppress(redis.exceptions.RedisError):
        service.client.client_kill_filter(_type="normal", skipme=True)


FAULTS: dict[str, Fault] = {
    "SIGKILL child": kill_child,
    "SIGKILL sandbox": kill_sandbox,
    "SIGKILL worker": kill_worker,
    "SIGKILL server": kill_server,
    "SIGKILL redis": kill_redis,
    "SIGSTOP child": stop_child,
    "SIGSTOP sandbox": stop_sandbox,
    "SIGSTOP worker": stop_worker,
    "SIGSTOP server": stop_server,
    "SIGSTOP redis": stop_redis,
    "restart worker": restart_worker,
    "restart server": restart_server,
    "restart redis": restart_redis,
    "cut clients": cut_clients,
    "cut redis": cut_redis,
    "skewed clock": skew_worker,
    "delete watched": delete_watched,
    "leave watches": leave_watches,
    "full content disk": fill_content_disk,
    "full redis disk": fill_redis_disk,
    "other version": other_version,
}
_DISKS = ("full content disk", "full redis disk")


def possible(chosen: Iterable[str], *, own_disks: bool) -> list[str]:
    """Return the faults that can be made here: some need leave to mount disks, or another version in git."""
    impossible = {*(() if own_disks else _DISKS), *(() if is_available() else ("other version",))}
    return [name for name in chosen if name not in impossible]


def needs_disks(chosen: Iterable[str]) -> bool:
    """Whether one of the faults needs disks of the service's own."""
    return any(name in _DISKS for name in chosen)
