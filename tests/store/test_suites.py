"""Claims about suites."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import msgspec
import pytest
import redis

from dropaudit.plan import Plan, Role
from dropaudit_store.errors import InUse, ModelNotFound, RecordTooLarge, SuiteExists, SuiteNotFound
from dropaudit_store.models import ModelStore
from dropaudit_store.records import ArtifactRef, Glob, Member, Suite
from dropaudit_store.redis.connection import key
from dropaudit_store.suites import SuiteStore

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def models(redis_client: redis.Redis) -> ModelStore:
    return ModelStore(redis_client)


@pytest.fixture
def suites(redis_client: redis.Redis) -> SuiteStore:
    return SuiteStore(redis_client)


@pytest.fixture
def stored(models: ModelStore) -> None:
    """The models that suites name, noted as stored."""
    for digest in (A, B):
        models.add(digest, 1, "")


def suite(*members: Member) -> Suite:
    return Suite(
        id="nightly", members=members, plan=Plan(seed=3), labels={"team": "x"}, create_time=1.0, update_time=1.0
    )


@pytest.mark.usefixtures("stored")
def test_a_suite_comes_back_as_it_was_made(suites: SuiteStore) -> None:
    made = suite(ArtifactRef(model=A), Glob(pattern="lstm-*", role=Role.TRAIN))
    suites.create(made)
    assert suites.get("nightly") == made
    assert suites.every() == [made]


@pytest.mark.usefixtures("stored")
def test_a_name_is_taken_once(suites: SuiteStore) -> None:
    suites.create(suite(ArtifactRef(model=A)))
    with pytest.raises(SuiteExists, match="nightly"):
        suites.create(suite(ArtifactRef(model=B)))


def test_what_does_not_exist_is_not_found(suites: SuiteStore) -> None:
    with pytest.raises(SuiteNotFound):
        suites.get("none")


def test_a_model_keeps_what_was_first_noted(models: ModelStore) -> None:
    first = models.add(A, 10, "one.onnx")
    assert models.add(A, 10, "two.onnx") == first


def test_a_model_without_a_name_takes_the_first_that_comes(models: ModelStore) -> None:
    first = models.add(A, 10, "")
    assert models.add(A, 10, "one.onnx").display_name == "one.onnx"
    found = models.add(A, 10, "two.onnx")
    assert (found.display_name, found.create_time) == ("one.onnx", first.create_time)


def test_a_suite_that_names_a_model_that_is_not_stored_is_refused(suites: SuiteStore, models: ModelStore) -> None:
    with pytest.raises(ModelNotFound, match=A):
        suites.create(suite(ArtifactRef(model=A)))
    models.add(A, 1, "")
    before = suites.create(suite(ArtifactRef(model=A)))
    with pytest.raises(ModelNotFound, match=B):
        suites.replace(before, suite(ArtifactRef(model=B)))


def test_a_model_is_either_deleted_or_named_by_a_suite_whoever_comes_first(
    redis_client: redis.Redis, models: ModelStore
) -> None:
    suites = SuiteStore(redis_client)
    for number in range(100):
        models.add(A, 1, "")
        named = msgspec.structs.replace(suite(ArtifactRef(model=A)), id=f"s{number}")
        outcomes = at_once(partial(suites.create, named), partial(models.delete, A))
        assert sorted(outcomes, key=str) in ([InUse, None], [ModelNotFound, None])
        if outcomes[0] is None:
            suites.delete(named.id)
            models.delete(A)


def at_once(*calls: Callable[[], object]) -> list[type[Exception] | None]:
    """Return how calls ended that were made at the same time."""
    outcomes: dict[int, type[Exception] | None] = {}
    barrier = threading.Barrier(len(calls))

    def call(number: int) -> None:
        barrier.wait()
        try:
            calls[number]()
        except (InUse, ModelNotFound) as error:
            outcomes[number] = type(error)
        else:
            outcomes[number] = None

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[number] for number in range(len(calls))]


def test_a_suite_has_a_size_limit(suites: SuiteStore) -> None:
    with pytest.raises(RecordTooLarge, match="1048576"):
        suites.create(suite(*(Glob(pattern="x" * 2000) for _ in range(600))))


def test_suites_with_a_schedule_are_found_whatever_became_of_it(suites: SuiteStore, redis_client: redis.Redis) -> None:
    plain = suite(Glob(pattern="*"))
    old = msgspec.structs.replace(plain, id="old", cron="0 0 * * *")
    redis_client.set(key("suite", "old"), msgspec.json.encode(old))
    redis_client.zadd(key("suites"), {f"{1_000_000:016x}:old": 0})
    for number, (cron, paused) in enumerate([("", False), ("0 3 * * *", False), ("0 3 * * *", True)]):
        suites.create(msgspec.structs.replace(plain, id=f"s{number}", cron=cron, paused=paused))
    assert [each.id for each in suites.scheduled()] == ["old", "s1"]
    suites.replace(suites.get("s1"), msgspec.structs.replace(suites.get("s1"), cron=""))
    suites.replace(suites.get("s2"), msgspec.structs.replace(suites.get("s2"), paused=False))
    assert [each.id for each in suites.scheduled()] == ["old", "s2"]
    suites.delete("s2")
    assert [each.id for each in suites.scheduled()] == ["old"]
