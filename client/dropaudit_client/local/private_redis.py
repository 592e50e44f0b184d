"""How Redis is started on this machine: loses nothing, and lets nobody else in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_LOOPBACK = "127.0.0.1"
# An append-only file, written before Redis answers: what was accepted is on the disk. And no eviction.
_KEEPING = {
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
    "maxmemory-policy": "noeviction",
    "daemonize": "no",
}

# Server, worker and beat need no more. What is left out writes files elsewhere, loads code, copies everything to
# another machine, or ends Redis: a mistake, or a process that was taken over, cannot do it either.
_RIGHTS = (
    "on nopass ~* &* -@all +@read +@write +@transaction +@connection +@pubsub -@dangerous "
    "+eval +evalsha +script|load +script|exists +info +time +config|get"
)


def redis_command(port: int, folder: Path) -> list[str]:
    """Return the command of a Redis on a port of loopback, which whoever is on this machine may use: for trials."""
    return _command({"port": str(port), "bind": _LOOPBACK, "dir": str(folder)})


def private_redis_command(socket: Path, folder: Path) -> list[str]:
    """Return the command of a Redis on a unix socket alone, without what is dangerous.

    Who may open the socket's folder may use it: that folder must be its owner's alone.
    """
    settings = {"port": "0", "unixsocket": str(socket), "unixsocketperm": "700", "dir": str(folder)}
    return [*_command(settings), "--user", "default", *_RIGHTS.split()]


def _command(settings: Mapping[str, str]) -> list[str]:
    # Imported here: the client installs without the store.
    from dropaudit_store.redis.local_server import find_redis_server

    pairs = (word for key, value in {**settings, **_KEEPING}.items() for word in (f"--{key}", value))
    return [str(find_redis_server()), *pairs]
