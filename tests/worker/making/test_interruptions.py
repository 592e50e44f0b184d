"""Claims about worker processes that are killed, asked to stop, or take too long."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
import redis

from dropaudit_client.local.processes import Process
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.records import ArtifactRef, AuditRecord, AuditState
from support.audits import ask, finished, kinds_of_events, stored, undecided
from support.bombs import ENDLESS_LOOP, LONG_KERNEL, LONG_LOAD, MEMORY_BOMB
from support.services import eventually, worker

PROMPT = {"reconcile_seconds": "0.2", "announce_seconds": "0.2", "lease_seconds": "1"}
# What is not handed back at once is not made again within the test.
SLOW = {"reconcile_seconds": "60", "announce_seconds": "60", "lease_seconds": "60"}


@pytest.fixture
def store(redis_client: redis.Redis) -> AuditStore:
    """The store with the clock of everybody."""
    return AuditStore(redis_client)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore((tmp_path / "blobs").as_uri())


@pytest.fixture
def healthy(blobs: BlobStore, tmp_path: Path) -> ArtifactRef:
    return stored(blobs, "lstm-dropout", tmp_path)


def begun(client: redis.Redis, audit_id: str) -> None:
    """Wait until replicates are being drawn."""
    eventually(lambda: "progress" in kinds_of_events(client, audit_id), "the audit does not begin")


def child(parent: Process) -> int:
    """Return the only child of a worker."""
    (found,) = psutil.Process(parent.pid).children()
    return int(found.pid)


def await_attempt(store: AuditStore, audit_id: str, number: int) -> None:
    """Wait until an audit has been taken so often."""
    eventually(lambda: store.get(audit_id).attempts == number, "nobody takes the audit")


def failure(record: AuditRecord) -> tuple[str, str]:
    """Return the reason and the message of a failed audit."""
    assert record.state is AuditState.FAILED
    assert record.failure is not None
    return record.failure.reason, record.failure.message


def test_the_audit_of_a_machine_that_was_lost_is_queued_again_and_ends_once(
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


def test_a_child_that_is_killed_loses_no_time_and_its_parent_goes_on(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(15_000))
    with worker(redis_url, tmp_path, **{**SLOW, "announce_seconds": "0.01", "reconcile_seconds": "2"}) as parent:
        begun(redis_client, audit_id)
        os.kill(child(parent), signal.SIGKILL)
        record = finished(store, audit_id)
        assert (record.state, record.attempts) == (AuditState.SUCCEEDED, 2)
        assert parent.exit_status() is None


def test_an_audit_that_kills_every_child_fails_with_the_signal(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(2_000_000))
    with worker(redis_url, tmp_path, max_attempts=2, **PROMPT) as parent:
        for attempt in (1, 2):
            await_attempt(store, audit_id, attempt)
            os.kill(child(parent), signal.SIGSEGV)
        record = finished(store, audit_id)
    reason, message = failure(record)
    assert reason == "WORKER_LOST"
    assert message == "2 workers were lost while making this audit; the last known cause: signal 11 (SIGSEGV)"


def test_a_worker_that_is_asked_to_stop_hands_its_audit_back_at_once(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(15_000))
    with worker(redis_url, tmp_path, **{**SLOW, "announce_seconds": "0.01", "reconcile_seconds": "2"}) as stopping:
        begun(redis_client, audit_id)
        with worker(redis_url, tmp_path, **SLOW):
            asked = time.monotonic()
            stopping.ask_to_stop()
            eventually(lambda: stopping.exit_status() is not None, "the worker does not stop")
            assert stopping.exit_status() == 0
            assert time.monotonic() - asked < 8.0
            record = finished(store, audit_id)
    assert (record.state, record.attempts) == (AuditState.SUCCEEDED, 2)


def test_the_child_of_a_parent_that_is_killed_hands_its_audit_back_and_is_gone(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(2_000_000))
    with worker(redis_url, tmp_path, **{**SLOW, "announce_seconds": "0.01", "reconcile_seconds": "2"}) as parent:
        begun(redis_client, audit_id)
        orphan = psutil.Process(child(parent))
        os.kill(parent.pid, signal.SIGKILL)
        eventually(lambda: store.get(audit_id).state is AuditState.QUEUED, "the audit is not handed back", 5.0)
        eventually(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE, "the child stays", 5.0)


def test_a_child_without_work_ends_with_its_parent(redis_url: str, tmp_path: Path) -> None:
    with worker(redis_url, tmp_path) as parent:
        eventually(lambda: psutil.Process(parent.pid).children(), "the worker has no child")
        # Once it has set its handlers.
        time.sleep(1.0)
        orphan = psutil.Process(child(parent))
        os.kill(parent.pid, signal.SIGKILL)
        eventually(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE, "the child stays", 5.0)


def test_an_audit_over_the_time_limit_fails_and_says_what_to_do(
    redis_url: str, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(2_000_000))
    with worker(redis_url, tmp_path, time_limit_seconds="1", **PROMPT):
        reason, message = failure(finished(store, audit_id))
    assert reason == "TIME_LIMIT_EXCEEDED"
    assert "DROPAUDIT_TIME_LIMIT_SECONDS" in message


def test_a_loop_without_end_is_ended_at_the_time_limit_and_its_child_goes_on(
    redis_url: str, store: AuditStore, blobs: BlobStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    endless = ask(store, ArtifactRef(model=blobs.put(ENDLESS_LOOP)))
    with worker(redis_url, tmp_path, time_limit_seconds="3", **PROMPT) as parent:
        await_attempt(store, endless, 1)
        before = child(parent)
        reason, _ = failure(finished(store, endless))
        assert finished(store, ask(store, healthy)).state is AuditState.SUCCEEDED
        assert child(parent) == before
    assert reason == "TIME_LIMIT_EXCEEDED"


def test_what_even_the_runtime_cannot_end_is_ended_at_the_limit_and_not_tried_again(
    redis_url: str, store: AuditStore, blobs: BlobStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    heavy = ask(store, ArtifactRef(model=blobs.put(LONG_KERNEL)))
    with worker(redis_url, tmp_path, time_limit_seconds="4", **PROMPT) as parent:
        await_attempt(store, heavy, 1)
        before = child(parent)
        record = finished(store, heavy)
        assert finished(store, ask(store, healthy)).state is AuditState.SUCCEEDED
        assert child(parent) == before
    assert failure(record)[0] == "TIME_LIMIT_EXCEEDED"
    assert record.attempts == 1


def test_what_even_the_runtime_cannot_end_is_cancelled_within_a_second(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, blobs: BlobStore, tmp_path: Path
) -> None:
    heavy = ask(store, ArtifactRef(model=blobs.put(LONG_KERNEL)))
    with worker(redis_url, tmp_path, **PROMPT):
        begun(redis_client, heavy)
        time.sleep(2.0)
        asked = time.time()
        store.cancel(heavy)
        record = finished(store, heavy)
    assert record.state is AuditState.CANCELLED
    assert record.end_time is not None
    assert record.end_time - asked < 1.0


def test_a_sandbox_that_crashes_costs_no_child(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    audit_id = ask(store, healthy, undecided(2_000_000))
    with worker(
        redis_url, tmp_path, max_attempts=2, **SLOW | {"announce_seconds": "0.01", "reconcile_seconds": "2"}
    ) as parent:
        for attempt in (1, 2):
            await_attempt(store, audit_id, attempt)
            # Earlier, its sandbox may still be starting: what is first in a namespace of processes hears no signal.
            eventually(lambda: kinds_of_events(redis_client, audit_id)[-1] == "progress", "the attempt does not begin")
            before = child(parent)
            model_process(before).send_signal(signal.SIGSEGV)
            await_end_of_attempt(store, audit_id, attempt)
            assert child(parent) == before
        reason, message = failure(finished(store, audit_id))
        assert finished(store, ask(store, healthy)).state is AuditState.SUCCEEDED
    assert reason == "WORKER_LOST"
    assert message == "2 workers were lost while making this audit; the last known cause: signal 11 (SIGSEGV)"


def await_end_of_attempt(store: AuditStore, audit_id: str, number: int) -> None:
    """Wait until an audit has been taken more often, or ended."""

    def has_ended() -> bool:
        record = store.get(audit_id)
        return record.attempts > number or record.state.is_final

    eventually(has_ended, "the attempt does not end")


def model_process(keeper: int) -> psutil.Process:
    """Return the process that runs the models of a child: the last of those that it has started for that."""
    return psutil.Process(keeper).children(recursive=True)[-1]


def test_a_model_that_takes_longer_to_load_than_a_lease_is_not_lost_to_its_worker(
    redis_url: str, store: AuditStore, blobs: BlobStore, tmp_path: Path
) -> None:
    # While it loads, the runtime stops all threads of its process.
    loading = ask(store, ArtifactRef(model=blobs.put(LONG_LOAD)))
    with worker(redis_url, tmp_path, time_limit_seconds="4", max_attempts=1, **PROMPT):
        await_attempt(store, loading, 1)
        time.sleep(4.0)
        assert store.get(loading).state is AuditState.RUNNING
        reason, _ = failure(finished(store, loading))
    assert reason == "TIME_LIMIT_EXCEEDED"


def test_a_model_that_wants_all_memory_fails_and_its_worker_goes_on(
    redis_url: str, store: AuditStore, blobs: BlobStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    bomb = ask(store, ArtifactRef(model=blobs.put(MEMORY_BOMB)))
    with worker(redis_url, tmp_path, memory_limit_mebibytes=1500, **PROMPT):
        reason, _ = failure(finished(store, bomb))
        assert finished(store, ask(store, healthy)).state is AuditState.SUCCEEDED
    assert reason == "MEMORY_LIMIT_EXCEEDED"
