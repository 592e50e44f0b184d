"""Claims about the children of a real worker: where the runtime lives, how they are renewed, and what they consume."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import psutil
import pytest
import redis

from dropaudit.plan import Plan, Provider
from dropaudit_client.local.service import free_port
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.routing import Routes
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.garbage import Garbage
from dropaudit_store.records import ArtifactRef, AuditRecord, AuditRequest, AuditState, Spec
from dropaudit_store.redis.connection import connect
from dropaudit_worker.app import make_app
from dropaudit_worker.queue.messages import Messages
from dropaudit_worker.settings import WorkerSettings
from support.audits import ask, finished, stored
from support.services import START_SECONDS, eventually, redis_server, worker

PROMPT = {"reconcile_seconds": "0.2", "announce_seconds": "0.2"}


@pytest.fixture
def store(redis_client: redis.Redis) -> AuditStore:
    """The store with the clock of everybody."""
    return AuditStore(redis_client)


@pytest.fixture
def healthy(tmp_path: Path) -> ArtifactRef:
    return stored(BlobStore((tmp_path / "blobs").as_uri()), "lstm-dropout", tmp_path)


def libraries(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def numbers(record: AuditRecord) -> object:
    """Return what a report says, but for its times."""
    assert record.report is not None
    execution = {name: value for name, value in record.report["execution"].items() if name != "seconds"}
    return {**record.report, "execution": execution}


def test_the_runtime_lives_in_sandboxes_only_and_two_of_them_draw_what_their_seeds_say(
    redis_url: str, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    plans = [Plan(provider=Provider.CPU, max_replicates=512, seed=seed) for seed in (1, 2, 1, 2, 1, 2)]
    asked = [ask(store, healthy, plan) for plan in plans]
    with worker(redis_url, tmp_path, concurrency=2, **PROMPT) as parent:
        found = [numbers(finished(store, each)) for each in asked]
        children = psutil.Process(parent.pid).children()
        sandboxes = [each.children(recursive=True)[-1] for each in children]
        pids = [parent.pid, *(each.pid for each in (*children, *sandboxes))]
        loaded = ["onnxruntime" in libraries(pid) for pid in pids]
    assert loaded == [False] * 3 + [True] * 2
    first, second = found[0], found[1]
    assert found == [first, second] * 3
    sites = [msgspec.json.encode(each) for each in (first, second)]
    assert sites[0] != sites[1]


def test_sandboxes_make_room_for_new_ones_and_the_child_goes_on(
    redis_url: str, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    sandboxes, children = set[int](), set[int]()
    with worker(redis_url, tmp_path, audits_per_sandbox=1, **PROMPT) as parent:
        for _ in range(3):
            assert finished(store, ask(store, healthy)).state is AuditState.SUCCEEDED
            (child,) = psutil.Process(parent.pid).children()
            children.add(child.pid)
            sandboxes |= {each.pid for each in child.children()}
        assert parent.exit_status() is None
    assert (len(children), len(sandboxes) > 1) == (1, True)


def test_children_that_have_gone_are_replaced_at_once(
    redis_url: str, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    with worker(redis_url, tmp_path, concurrency=1, **PROMPT) as parent:
        finished(store, ask(store, healthy))
        child = child_of(parent.pid, seconds=START_SECONDS)
        for _ in range(8):
            child.kill()
            # Celery looks every five seconds for those whose end it has missed.
            child = child_of(parent.pid, but=child, seconds=2.0)


def child_of(parent: int, *, but: psutil.Process | None = None, seconds: float) -> psutil.Process:
    """Wait for a child other than one that is known."""
    found: list[psutil.Process] = []

    def there_is_another() -> bool:
        found[:] = (each for each in psutil.Process(parent).children() if each != but)
        return bool(found)

    eventually(there_is_another, "there is no other child", seconds)
    return found[0]


def test_a_worker_consumes_messages_again_after_redis_was_started_again(tmp_path: Path) -> None:
    port = free_port()
    blobs = BlobStore((tmp_path / "blobs").as_uri())
    url = f"redis://127.0.0.1:{port}/0"
    # Nothing is announced again: what is made was consumed as a message.
    settings = {"reconcile_seconds": "0.5", "announce_seconds": "600"}
    app = make_app(WorkerSettings(redis_url=url))
    with connect(url) as client, worker(url, tmp_path, **settings):
        store, messages = AuditStore(client), Messages(app, Routes(client).of)
        for _ in range(3):
            with redis_server(tmp_path / "redis", port):
                # Once its audit has ended nothing refers to it, and it goes.
                healthy = stored(blobs, "lstm-dropout", tmp_path)
                request = AuditRequest(spec=Spec(subject=healthy, plan=Plan(provider=Provider.CPU, max_replicates=64)))
                audit_id = store.create(request).id
                messages.wake(audit_id)
                assert finished(store, audit_id).state is AuditState.SUCCEEDED
            eventually(lambda: not is_there(client), "Redis does not stop")


def is_there(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def test_children_that_are_killed_in_their_first_moments_are_replaced(
    redis_url: str, redis_client: redis.Redis, store: AuditStore, healthy: ArtifactRef, tmp_path: Path
) -> None:
    # No model refers to the content here, and between two audits it would be cleaned away.
    Garbage(redis_client).hold(healthy.model)
    with worker(redis_url, tmp_path, concurrency=1, **PROMPT) as parent:
        finished(store, ask(store, healthy))
        for wait in (0.0, 0.0, 0.001, 0.01, 0.1):
            child = child_of(parent.pid, seconds=START_SECONDS)
            time.sleep(wait)
            child.kill()
            psutil.wait_procs([child], timeout=START_SECONDS)
        assert finished(store, ask(store, healthy)).state is AuditState.SUCCEEDED
        assert parent.exit_status() is None
