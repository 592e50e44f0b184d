"""Claims about Redis Cluster: it is refused in a sentence, by every part."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from dropaudit_client.local.private_redis import redis_command
from dropaudit_client.local.service import free_port
from dropaudit_store.errors import ClusterRefused
from dropaudit_store.redis.connection import connect, refuse_cluster
from support.services import answers, environment, eventually, process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a node of a cluster."""
    folder, port = tmp_path_factory.mktemp("cluster"), free_port()
    command = [*redis_command(port, folder), "--cluster-enabled", "yes", "--cluster-port", str(free_port())]
    with process("redis", command, {}, folder / "redis.log"):
        url = f"redis://127.0.0.1:{port}/0"
        eventually(lambda: answers(url), "the node does not start")
        yield url


@pytest.mark.parametrize("module", ["dropaudit_server", "dropaudit_worker", "dropaudit_worker beat"])
def test_server_worker_and_beat_refuse_a_cluster_in_a_sentence(module: str, cluster: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *module.split()],
        env=environment(cluster, tmp_path, listen=f"127.0.0.1:{free_port()}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "Redis runs as a cluster, which cannot be used" in line


def test_a_redis_alone_passes_and_one_that_does_not_answer_may(redis_client: redis.Redis) -> None:
    refuse_cluster(redis_client)
    refuse_cluster(connect("redis://127.0.0.1:1/0"))


def test_the_refusal_is_an_error_with_a_reason(cluster: str) -> None:
    with connect(cluster) as client, pytest.raises(ClusterRefused) as caught:
        refuse_cluster(client)
    assert caught.value.reason == "REDIS_CLUSTER"
