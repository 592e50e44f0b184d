"""Claims about a real worker process: real Celery, real Redis, real models."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import redis

from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.records import ArtifactRef, AuditState, RecordedRef
from dropaudit_store.redis.connection import connect
from dropaudit_store.shared.task_names import QUEUE
from support.audits import ask, finished, stored
from support.services import environment, eventually, process, redis_server, worker


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the worker keeps blobs and its log."""
    return tmp_path_factory.mktemp("worker")


@pytest.fixture(scope="module")
def store(place: Path) -> Iterator[AuditStore]:
    """A store whose audits a worker makes; it finds by itself what nobody told it of."""
    with (
        redis_server(place / "redis") as url,
        worker(url, place, reconcile_seconds=0.2, announce_seconds=0.2),
        connect(url) as client,
    ):
        yield AuditStore(client)


@pytest.fixture
def blobs(place: Path) -> BlobStore:
    return BlobStore((place / "blobs").as_uri())


def test_a_worker_makes_audits_that_it_was_not_told_of(store: AuditStore, blobs: BlobStore, tmp_path: Path) -> None:
    names = ("lstm-dropout", "lstm-dropout-unscaled")
    healthy, faulty = (finished(store, ask(store, stored(blobs, name, tmp_path))) for name in names)
    assert healthy.report is not None
    assert faulty.report is not None
    assert (healthy.report["verdict"], faulty.report["verdict"]) == ("PASS", "FAIL")
    assert "DA301" in {finding["code"] for finding in faulty.report["findings"]}


def test_a_worker_makes_audits_of_recorded_outputs(store: AuditStore, blobs: BlobStore) -> None:
    inference = np.linspace(0.1, 1.0, 50)
    train = np.where(np.arange(50) % 2 == 0, 2 * inference, 0)
    tensors = blobs.put_tensors([("inference", inference), ("train0", train)])
    record = finished(store, ask(store, RecordedRef(tensors=tensors, keep_prob=0.5)))
    assert record.report is not None
    assert record.report["verdict"] == "PASS"


def test_what_is_no_model_fails_with_one_sentence_and_the_worker_goes_on(
    store: AuditStore, blobs: BlobStore, tmp_path: Path
) -> None:
    record = finished(store, ask(store, ArtifactRef(model=blobs.put(b"no model"))))
    assert record.state is AuditState.FAILED
    assert record.failure is not None
    assert record.failure.reason == "INVALID_MODEL"
    assert "\n" not in record.failure.message
    assert finished(store, ask(store, stored(blobs, "lstm-dropout", tmp_path))).state is AuditState.SUCCEEDED


# As a worker was that trusts what lies in its queue.
TRUSTING = """
import sys
from dropaudit_worker.queue import transport
from dropaudit_worker.__main__ import main
transport.use = lambda: None
sys.argv = ["dropaudit-worker", "worker"]
sys.exit(main())
"""


@pytest.mark.parametrize(("how", "status"), [("an error", 1), ("SIGTERM", 0), ("SIGINT", 0)])
def test_the_exit_status_tells_an_error_from_a_worker_that_was_asked_to_stop(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path, how: str, status: int
) -> None:
    environ = environment(redis_url, tmp_path)
    with process("worker", [sys.executable, "-c", TRUSTING], environ, tmp_path / "worker.log") as running:
        eventually(lambda: psutil.Process(running.pid).children(), "the worker has no child")
        # Once it listens for signals.
        time.sleep(2.0)
        if how == "an error":
            redis_client.lpush(QUEUE, "[]")
        else:
            os.kill(running.pid, signal.Signals[how])
        eventually(lambda: running.exit_status() is not None, "the worker goes on")
        assert running.exit_status() == status
