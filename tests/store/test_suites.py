"""Claims about suites and their runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import msgspec
import pytest
import redis

from dropaudit.plan import Plan, Role
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.errors import (
    InUse,
    ModelNotFound,
    RecordTooLarge,
    RunNotFound,
    RunTooLarge,
    SuiteExists,
    SuiteNotFound,
)
from dropaudit_store.models import ModelStore
from dropaudit_store.records import ArtifactRef, Glob, Member, Priority, RunTrigger, Suite
from dropaudit_store.suites import SuiteStore

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def models(redis_client: redis.Redis) -> ModelStore:
    return ModelStore(redis_client)


@pytest.fixture
def audits(redis_client: redis.Redis) -> AuditStore:
    return AuditStore(redis_client)


@pytest.fixture
def suites(redis_client: redis.Redis, audits: AuditStore, models: ModelStore) -> SuiteStore:
    return SuiteStore(redis_client, audits, models)


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
        suites.run_now("none")
    with pytest.raises(RunNotFound):
        suites.get_run("none", "r")


@pytest.mark.usefixtures("stored")
def test_a_run_has_an_audit_for_each_member_with_the_suites_plan_and_labels(
    suites: SuiteStore, audits: AuditStore
) -> None:
    suites.create(suite(ArtifactRef(model=A, role=Role.TRAIN), ArtifactRef(model=B)))
    run = suites.run_now("nightly")
    records = audits.get_many(run.audits)
    assert [record.request.spec.subject for record in records] == [
        ArtifactRef(model=A, role=Role.TRAIN),
        ArtifactRef(model=B),
    ]
    assert {record.request.run for record in records} == {run.name}
    assert all(record.request.priority is Priority.BATCH for record in records)
    assert all(record.request.labels == {"team": "x"} for record in records)
    assert suites.get_run("nightly", run.id) == run


def test_a_glob_takes_the_models_that_match_at_the_time_of_the_run(
    suites: SuiteStore, audits: AuditStore, models: ModelStore
) -> None:
    suites.create(suite(Glob(pattern="lstm-*.onnx", role=Role.TRAIN)))
    for digest, name in ((A, "lstm-1.onnx"), (B, "gru.onnx"), (C, "lstm-2.onnx")):
        models.add(digest, 1, name)
    subjects = [record.request.spec.subject for record in audits.get_many(suites.run_now("nightly").audits)]
    assert subjects == [ArtifactRef(model=A, role=Role.TRAIN), ArtifactRef(model=C, role=Role.TRAIN)]


@pytest.mark.usefixtures("stored")
def test_one_request_id_is_one_run_and_another_is_another(suites: SuiteStore) -> None:
    suites.create(suite(ArtifactRef(model=A)))
    first, again, other = (suites.run_now("nightly", request_id) for request_id in ("r1", "r1", "r2"))
    assert first == again
    assert first.id != other.id
    assert suites.run_now("nightly").id != suites.run_now("nightly").id


@pytest.mark.usefixtures("stored")
def test_firing_twice_for_one_due_instant_is_one_run(suites: SuiteStore) -> None:
    suites.create(suite(ArtifactRef(model=A)))
    first, again = suites.run_due("nightly", 60_000.0), suites.run_due("nightly", 60_000.0)
    assert first == again
    assert (first.trigger, first.due_time, first.id) == (RunTrigger.SCHEDULE, 60_000.0, "19700101t1640z")
    assert [run.id for run in suites.runs("nightly", 9)[0]] == [first.id]


def test_a_run_that_is_asked_for_again_makes_no_audits_of_models_that_came_since(
    suites: SuiteStore, models: ModelStore, redis_client: redis.Redis
) -> None:
    suites.create(suite(Glob(pattern="*")))
    models.add(A, 1, "a.onnx")
    first = suites.run_due("nightly", 60_000.0)
    models.add(B, 1, "b.onnx")
    assert suites.run_due("nightly", 60_000.0) == first
    assert redis_client.zcard("dropaudit:audits") == 1


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
    redis_client: redis.Redis, audits: AuditStore, models: ModelStore
) -> None:
    suites = SuiteStore(redis_client, audits, models)
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


def test_a_caller_s_request_id_is_never_that_of_a_run_s_audit(
    suites: SuiteStore, audits: AuditStore, models: ModelStore
) -> None:
    models.add(A, 1, "a.onnx")
    suites.create(suite(ArtifactRef(model=A), Glob(pattern="a*")))
    run = suites.run_due("nightly", 60_000.0)
    # As the ids of runs' audits once were, and what a caller may send.
    request = audits.get(run.audits[0]).request
    for given in (f"{run.name}/0", f"{run.name}/1", run.name):
        assert audits.create(request, given).id not in run.audits


def test_a_suite_has_a_size_limit_and_its_runs_have_one(
    suites: SuiteStore, models: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecordTooLarge, match="1048576"):
        suites.create(suite(*(Glob(pattern="x" * 2000) for _ in range(600))))
    for digest in (A, B, C):
        models.add(digest, 1, "m.onnx")
    suites.create(suite(Glob(pattern="*"), Glob(pattern="m*")))
    assert len(suites.run_now("nightly").audits) == 6
    monkeypatch.setattr("dropaudit_store.suites.MOST_OF_RUN", 5)
    with pytest.raises(RunTooLarge, match="more than 5"):
        suites.run_now("nightly")


def test_a_pattern_may_backtrack_as_it_likes(suites: SuiteStore, models: ModelStore) -> None:
    models.add(A, 1, "a" * 512)
    suites.create(suite(Glob(pattern="*a" * 250 + "b")))
    assert suites.run_now("nightly").audits == ()
