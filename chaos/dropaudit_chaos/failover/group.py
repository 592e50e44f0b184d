"""A master of Redis with replicas, watched by Sentinels, on loopback."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from dropaudit_chaos.parts import Part
from dropaudit_client.local.private_redis import redis_command
from dropaudit_client.local.service import free_port
from dropaudit_store.redis.local_server import find_redis_server

_NAME = "main"
_REPLICAS, _SENTINELS = 2, 3
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.05
# A master that reaches no replica takes no writes: alone, it would take what is lost once another is the master.
_NODE = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", "10", "--repl-diskless-sync-delay", "0")
# How soon a master that does not answer is taken for lost; in a deployment it is rather 5 to 30 seconds.
_SENTINEL = """port {port}
bind 127.0.0.1
dir {folder}
sentinel monitor {name} 127.0.0.1 {master} 2
sentinel down-after-milliseconds {name} 1000
sentinel failover-timeout {name} 10000
sentinel parallel-syncs {name} 2
"""


class RedisGroup:
    """Servers of which one is the master; each can be killed and started again on its files."""

    def __init__(self, folder: Path) -> None:
        self._ports = [free_port() for _ in range(1 + _REPLICAS)]
        self._sentinel_ports = [free_port() for _ in range(_SENTINELS)]
        self._nodes = {port: self._node(port, folder / f"node-{port}") for port in self._ports}
        self._sentinels = [self._sentinel(port, folder / f"sentinel-{port}") for port in self._sentinel_ports]

    def _node(self, port: int, folder: Path) -> Part:
        folder.mkdir(parents=True)
        follows = ("--replicaof", "127.0.0.1", str(self._ports[0])) if port != self._ports[0] else ()
        return Part(f"redis-{port}", [*redis_command(port, folder), *_NODE, *follows], {}, folder / "redis.log")

    def _sentinel(self, port: int, folder: Path) -> Part:
        folder.mkdir(parents=True)
        settings = folder / "sentinel.conf"
        settings.write_text(_SENTINEL.format(port=port, folder=folder, name=_NAME, master=self._ports[0]))
        command = [str(find_redis_server()), str(settings), "--sentinel"]
        return Part(f"sentinel-{port}", command, {}, folder / "sentinel.log")

    @property
    def url(self) -> str:
        """The URL of the Sentinels."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in self._sentinel_ports)}/{_NAME}/0"

    def start(self) -> None:
        """Start everything, and wait until it is in order."""
        for node in self._nodes.values():
            node.start()
        # Sentinels ask a master for its replicas when they begin, and then only every ten seconds.
        _await(lambda: _is_whole(self._ports[0]), "the replicas do not find their master")
        for sentinel in self._sentinels:
            sentinel.start()
        self.await_order()

    def stop(self) -> None:
        """Stop everything."""
        for part in (*self._sentinels, *self._nodes.values()):
            part.stop()

    def master(self) -> int:
        """Return the port of the master, as a Sentinel says."""
        with redis.Redis(port=self._sentinel_ports[0], decode_responses=True) as asked:
            found: tuple[str, int] = asked.sentinel_get_master_addr_by_name(_NAME)
            return int(found[1])

    def fail_over(self) -> int:
        """SIGKILL the master, wait until another one has taken its place, and return the old one's port."""
        killed = self.master()
        self._nodes[killed].kill()
        _await(lambda: self.master() != killed, "the Sentinels make no other Redis the master")
        return killed

    def bring_back(self, port: int) -> None:
        """Start a server again that was killed, and wait until it is a replica."""
        self._nodes[port].start()
        self.await_order()

    def await_order(self) -> None:
        """Wait until the Sentinels agree on a master, and all others are its replicas."""
        _await(self._is_in_order, "master, replicas and Sentinels do not find each other")

    def _is_in_order(self) -> bool:
        return _is_whole(self.master()) and all(map(self._has_quorum, self._sentinel_ports))

    def _has_quorum(self, port: int) -> bool:
        with redis.Redis(port=port) as asked:
            known = asked.sentinel_master(_NAME)
        return bool(known["num-other-sentinels"] == _SENTINELS - 1 and known["num-slaves"] == _REPLICAS)


def _is_whole(port: int) -> bool:
    """Whether a server is a master with all replicas."""
    with redis.Redis(port=port) as client:
        found = client.info("replication")
    return bool(found["role"] == "master" and found["connected_slaves"] == _REPLICAS)


def _await(holds: Callable[[], bool], sentence: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            if holds():
                return
        except redis.exceptions.RedisError as error:
            sentence = f"{sentence}: {error}" if time.monotonic() > end else sentence
        if time.monotonic() > end:
            raise TimeoutError(sentence)
        time.sleep(_LOOK_SECONDS)


@contextmanager
def redis_group(folder: Path) -> Iterator[RedisGroup]:
    """Run a master, its replicas and Sentinels while inside."""
    group = RedisGroup(folder)
    try:
        group.start()
        yield group
    finally:
        group.stop()
