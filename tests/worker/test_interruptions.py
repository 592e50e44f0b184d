"""Claims about worker processes that are killed, asked to stop, or take too long."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import redis

from dropaudit_store.audits import AuditStore
from dropaudit_store.blobs import BlobStore
from dropaudit_store.records import ArtifactRef, AuditState
from support.audits import ask, finished, kinds_of_events, stored, undecided
from support.services import eventually, worker

PROMPT = {"reconcile_seconds": "0.2", "announce_seconds": "0.2", "lease_seconds": "1"}


@pytest.fixture
def store(redis_client: redis.Redis) -> AuditStore:
    """The store with the clock of everybody."""
    return AuditStore(redis_client)


@pytest.fixture
def healthy(tmp_path: Path) -> ArtifactRef:
    return stored(BlobStore((tmp_path / "blobs").as_uri()), "lstm-dropout", tmp_path)


def begun(client: redis.Redis, audit_id: str) -> None:
    """Wait until replicates are being drawn."""
    eventually(lambda: "progress" in kinds_of_events(client, audit_id), "the audit does not begin")


def test_the_audit_of_a_worker_that_was_killed_is_queued_again_and_ends_once(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(15_000))
    with worker(redis_url, tmp_path, **PROMPT) as killed:
        begun(redis_client, audit_id)
        os.killpg(killed.pid, signal.SIGKILL)
        eventually(lambda: killed.exit_status() is not None, "the worker does not die")
    assert store.get(audit_id).state is AuditState.RUNNING
    with worker(redis_url, tmp_path, **PROMPT):
        record = finished(store, audit_id)
    assert (record.state, record.attempts) == (AuditState.SUCCEEDED, 2)
    kinds = kinds_of_events(redis_client, audit_id)
    # Queued, running, queued again, running again, and one end.
    assert [kind for kind in kinds if kind != "progress"] == ["state"] * 4 + ["finished"]
    assert kinds[-1] == "finished"


def test_a_worker_that_is_asked_to_stop_ends_its_audit_first(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(15_000))
    with worker(redis_url, tmp_path, **PROMPT) as stopping:
        begun(redis_client, audit_id)
        stopping.ask_to_stop()
        eventually(lambda: stopping.exit_status() is not None, "the worker does not stop")
        assert stopping.exit_status() == 0
    record = store.get(audit_id)
    assert (record.state, record.attempts) == (AuditState.SUCCEEDED, 1)


def test_an_audit_over_the_time_limit_fails_and_says_what_to_do(
    redis_url: str, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(2_000_000))
    with worker(redis_url, tmp_path, time_limit_seconds="1", **PROMPT):
        record = finished(store, audit_id)
    assert record.state is AuditState.FAILED
    assert record.failure is not None
    assert record.failure.reason == "TIME_LIMIT_EXCEEDED"
    assert "DROPAUDIT_TIME_LIMIT_SECONDS" in record.failure.message
