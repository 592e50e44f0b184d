"""Claims about writes that are answered once replicas have them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from dropaudit.plan import Plan
from dropaudit_client.local.private_redis import redis_command
from dropaudit_client.local.processes import Process
from dropaudit_client.local.service import free_port
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.errors import NotReplicated, StoreUnavailable, redis_errors
from dropaudit_store.records import ArtifactRef, AuditRequest, Spec
from dropaudit_store.redis.connection import connect
from dropaudit_store.redis.replicated import ReplicatedRedis, writes
from support.services import eventually, process, redis_server

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="0" * 64), plan=Plan()))


@dataclass
class Pair:
    """A master and its only replica."""

    url: str
    replica_url: str
    replica: Process


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with redis_server(tmp_path / "master") as url:
        port, folder = free_port(), tmp_path / "replica"
        folder.mkdir()
        follows = ["--replicaof", "127.0.0.1", url.split(":")[2].split("/")[0]]
        with process("replica", [*redis_command(port, folder), *follows], {}, folder / "redis.log") as replica:
            with connect(url) as client:
                client.config_set("repl-diskless-sync-delay", "0")
                eventually(lambda: client.set("dropaudit:a", "") and client.wait(1, 100), "the replica does not come")
            yield Pair(url, f"redis://127.0.0.1:{port}/0", replica)


def prompt(url: str) -> ReplicatedRedis:
    """Return a client that does not wait for long."""
    return ReplicatedRedis(connect(url).connection_pool, 1, wait_milliseconds=200)


def test_what_no_replica_has_is_not_answered_and_is_made_by_asking_again(pair: Pair) -> None:
    with prompt(pair.url) as sure, connect(pair.url) as unsure, connect(pair.replica_url) as replica:
        audits = AuditStore(sure)
        first = audits.create(REQUEST, "first")
        assert replica.exists(f"dropaudit:audit:{first.id}")
        os.kill(pair.replica.pid, signal.SIGSTOP)
        try:
            assert AuditStore(unsure).create(REQUEST, "lost if the master is lost now")
            with pytest.raises(StoreUnavailable, match="0 of 1 replicas have it"):
                audits.create(REQUEST, "second")
            # What only reads needs no replica.
            assert audits.get(first.id).state.value == "QUEUED"
        finally:
            os.kill(pair.replica.pid, signal.SIGCONT)
        eventually(lambda: unsure.wait(1, 100) == 1, "the replica does not catch up")
        second = audits.create(REQUEST, "second")
        assert replica.exists(f"dropaudit:audit:{second.id}")
        assert audits.count_waiting() == 3


@pytest.mark.parametrize("transaction", [True, False])
def test_a_pipeline_is_answered_once_replicas_have_it(pair: Pair, transaction: bool) -> None:
    with prompt(pair.url) as sure, connect(pair.replica_url) as replica:

        def write(value: str) -> list[object]:
            with sure.pipeline(transaction=transaction) as pipe:
                pipe.set("dropaudit:a", value)
                pipe.get("dropaudit:a")
                return list(pipe.execute())

        assert write("1") == [True, "1"]
        assert replica.get("dropaudit:a") == "1"
        os.kill(pair.replica.pid, signal.SIGSTOP)
        try:
            with pytest.raises(NotReplicated):
                write("2")
            with sure.pipeline(transaction=transaction) as pipe:
                pipe.get("dropaudit:a")
                assert pipe.execute() == ["2"]
        finally:
            os.kill(pair.replica.pid, signal.SIGCONT)


def test_a_master_without_enough_replicas_is_said_to_take_no_writes(redis_client: redis.Redis) -> None:
    redis_client.config_set("min-replicas-to-write", "1")
    try:
        with pytest.raises(StoreUnavailable, match="takes no writes"):
            AuditStore(redis_client).create(REQUEST)
        with pytest.raises(StoreUnavailable, match="takes no writes"), redis_errors():
            redis_client.set("dropaudit:a", "1")
    finally:
        redis_client.config_set("min-replicas-to-write", "0")


def test_a_master_that_became_a_replica_is_said_to_take_no_writes(redis_client: redis.Redis) -> None:
    redis_client.replicaof("127.0.0.1", str(free_port()))
    try:
        with pytest.raises(StoreUnavailable, match="takes no writes"):
            AuditStore(redis_client).create(REQUEST)
    finally:
        redis_client.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("GET", "a"), False),
        (("CONFIG GET", "save"), False),
        (("zrange", "a", 0, -1), False),
        (("EVALSHA", "abc", 0), True),
        (("SET", "a", 1), True),
        (("SOMETHING NEW",), True),
    ],
)
def test_whatever_is_not_known_to_read_may_write(command: tuple[object, ...], expected: bool) -> None:
    assert writes(command) is expected
