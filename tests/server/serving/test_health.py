"""Claims about health where replicas of Redis must have what is written."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, cast

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health

from dropaudit_server.serving.health import HealthWatch
from dropaudit_store.redis.connection import connect
from dropaudit_store.redis.replicated import ReplicatedRedis
from dropaudit_store.shared.heartbeat_file import HeartbeatFile
from support.services import eventually, redis_server


class Looks:
    """Looks at a Redis of which one replica must have every write."""

    def __init__(self, url: str, file: Path) -> None:
        self._client = ReplicatedRedis(connect(url).connection_pool, 1, wait_milliseconds=50)
        self._servicer = health.HealthServicer()
        self._watch = HealthWatch(self._servicer, self._client, 1.0, HeartbeatFile(str(file)))

    def serves(self) -> bool:
        asyncio.run(self._watch.look())
        answer = asyncio.run(self._servicer.Check(health_pb2.HealthCheckRequest(service=""), cast(Any, None)))
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def close(self) -> None:
        self._client.close()


def test_a_server_whose_writes_too_few_replicas_have_does_not_serve_until_they_do(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    with redis_server(tmp_path / "master") as url, redis_server(tmp_path / "other") as other:
        looks = Looks(url, file)
        assert not looks.serves()
        # A new server would find no more replicas.
        assert file.exists()
        with connect(url) as master, connect(other) as replica:
            master.config_set("repl-diskless-sync-delay", "0")
            replica.replicaof("127.0.0.1", url.split(":")[2].split("/")[0])
            eventually(looks.serves, "the server does not serve with its replica")
            replica.replicaof("NO", "ONE")
            eventually(lambda: not looks.serves(), "the server serves without its replica")
        looks.close()


def test_a_redis_that_is_gone_leaves_the_file_to_grow_old(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    with redis_server(tmp_path / "master") as url:
        looks = Looks(url, file)
        looks.serves()
    os.utime(file, (1, 1))
    assert not looks.serves()
    assert file.stat().st_mtime == 1
    looks.close()
