"""Claims about content that nothing refers to: it goes away, and never while something needs it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from dropaudit.plan import Plan
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.content.garbage import Garbage
from dropaudit_store.errors import BlobMissing, InUse
from dropaudit_store.models import ModelStore
from dropaudit_store.records import ArtifactRef, AuditRequest, Failure, Spec, Tensors
from support.clock import Clock


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path.as_uri())


@pytest.fixture
def garbage(redis_client: redis.Redis, clock: Clock) -> Garbage:
    return Garbage(redis_client, clock)


@pytest.fixture
def models(redis_client: redis.Redis, clock: Clock) -> ModelStore:
    return ModelStore(redis_client, clock)


def request(model: str, tensors: str = "") -> AuditRequest:
    inputs = Tensors(sha256=tensors, infos=()) if tensors else None
    return AuditRequest(spec=Spec(subject=ArtifactRef(model=model, inputs=inputs), plan=Plan()))


def finish(store: AuditStore, audit_id: str) -> None:
    lease = store.claim(audit_id, 30.0)
    assert lease is not None
    store.fail(lease, Failure(reason="INTERNAL", message="m"))


def test_inputs_go_with_the_last_audit_that_has_them(blobs: BlobStore, garbage: Garbage, store: AuditStore) -> None:
    tensors = blobs.put(b"inputs")
    first, second = (store.create(request("a" * 64, tensors)).id for _ in range(2))
    for audit_id in (first, second):
        finish(store, audit_id)
        assert tensors not in garbage.collect(blobs)
        store.delete(audit_id)
    assert tensors in garbage.collect(blobs)
    assert not blobs.holds(tensors)


def test_a_model_without_users_is_noted_and_one_with_users_stays(
    blobs: BlobStore, garbage: Garbage, store: AuditStore, models: ModelStore
) -> None:
    sha256 = blobs.put(b"model")
    models.add(sha256, 5, "")
    audit_id = store.create(request(sha256)).id
    with pytest.raises(InUse, match=f"audits/{audit_id}"):
        models.delete(sha256)
    finish(store, audit_id)
    assert garbage.collect(blobs) == []
    models.delete(sha256)
    assert garbage.is_noted()
    assert garbage.collect(blobs) == [sha256]


def test_content_that_is_held_stays_until_the_hold_ends(
    blobs: BlobStore, garbage: Garbage, models: ModelStore, redis_client: redis.Redis, clock: Clock
) -> None:
    sha256 = blobs.put(b"model")
    models.add(sha256, 5, "")
    models.delete(sha256)
    garbage.hold(sha256)
    assert garbage.collect(blobs) == []
    clock.now += 3600
    redis_client.delete(f"dropaudit:hold:{sha256}")
    assert garbage.collect(blobs) == [sha256]


def test_content_that_nobody_came_to_refer_to_goes_once_its_hold_is_over(
    tmp_path: Path, garbage: Garbage, redis_client: redis.Redis, clock: Clock
) -> None:
    blobs = BlobStore(tmp_path.as_uri(), garbage.hold)
    sha256 = blobs.put(b"for an audit that was refused")
    assert not garbage.is_noted()
    clock.now += 3600
    redis_client.delete(f"dropaudit:hold:{sha256}")
    assert garbage.is_noted()
    assert garbage.collect(blobs) == [sha256]
    with pytest.raises(BlobMissing):
        blobs.read(sha256)


def test_what_was_forged_among_the_garbage_is_forgotten_and_hides_nothing(
    blobs: BlobStore, garbage: Garbage, models: ModelStore, redis_client: redis.Redis
) -> None:
    sha256 = blobs.put(b"model")
    models.add(sha256, 5, "")
    models.delete(sha256)
    redis_client.zadd("dropaudit:garbage", {"../../../etc/passwd": 0})
    assert garbage.collect(blobs) == [sha256]
    assert redis_client.zcard("dropaudit:garbage") == 0


class Meanwhile:
    """Blobs that somebody else works on between the hiding and the second look."""

    def __init__(self, blobs: BlobStore, act: Callable[[], object]) -> None:
        self._blobs = blobs
        self._act = act

    def remove(self, sha256: str, is_needed: Callable[[], bool]) -> bool:
        def look() -> bool:
            self._act()
            return is_needed()

        return self._blobs.remove(sha256, look)


@pytest.mark.parametrize("again", ["is uploaded", "is referred to"])
def test_content_that_comes_to_be_needed_while_it_is_removed_is_there_afterwards(
    again: str, tmp_path: Path, garbage: Garbage, models: ModelStore
) -> None:
    blobs = BlobStore(tmp_path.as_uri(), garbage.hold)
    sha256 = BlobStore(tmp_path.as_uri()).put(b"model")
    models.add(sha256, 5, "")
    models.delete(sha256)
    act = {"is uploaded": lambda: blobs.put(b"model"), "is referred to": lambda: models.add(sha256, 5, "")}[again]
    garbage.collect(Meanwhile(blobs, act))
    assert blobs.read(sha256) == b"model"


def test_content_that_is_gone_already_is_no_error(blobs: BlobStore, garbage: Garbage, models: ModelStore) -> None:
    models.add("a" * 64, 5, "")
    models.delete("a" * 64)
    assert garbage.collect(blobs) == ["a" * 64]
    assert not garbage.is_noted()
