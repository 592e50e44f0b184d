"""Claims about the file that tells that a server serves."""

from __future__ import annotations

import os
from pathlib import Path

import redis

from support.services import eventually, redis_server, server, serving


def test_the_file_stays_young_while_redis_answers_and_grows_old_when_it_does_not(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    with (
        redis_server(tmp_path / "redis") as url,
        server(url, tmp_path, ready=serving, heartbeat_file=file, health_seconds=0.1) as address,
    ):
        os.utime(file, (1, 1))
        eventually(lambda: file.stat().st_mtime > 1, "the server's file grows old")
        with redis.Redis.from_url(url) as client:
            client.shutdown(nosave=True)
        eventually(lambda: not serving(address), "the server serves without Redis")
        os.utime(file, (1, 1))
        assert not serving(address)
        assert file.stat().st_mtime == 1
