"""Claims about suites and their runs."""

from __future__ import annotations

import pytest
import redis

from dropaudit.plan import Plan, Role
from dropaudit_store.audits import AuditStore
from dropaudit_store.errors import RunNotFound, SuiteExists, SuiteNotFound
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


def suite(*members: Member) -> Suite:
    return Suite(id="nightly", members=members, plan=Plan(seed=3), labels={"team": "x"}, create_time=1, update_time=1)


def test_a_suite_comes_back_as_it_was_made(suites: SuiteStore) -> None:
    made = suite(ArtifactRef(model=A), Glob(pattern="lstm-*", role=Role.TRAIN))
    suites.create(made)
    assert suites.get("nightly") == made
    assert suites.every() == [made]


def test_a_name_is_taken_once(suites: SuiteStore) -> None:
    suites.create(suite(ArtifactRef(model=A)))
    with pytest.raises(SuiteExists, match="nightly"):
        suites.create(suite(ArtifactRef(model=B)))


def test_what_does_not_exist_is_not_found(suites: SuiteStore) -> None:
    with pytest.raises(SuiteNotFound):
        suites.run_now("none")
    with pytest.raises(RunNotFound):
        suites.get_run("none", "r")


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


def test_one_request_id_is_one_run_and_another_is_another(suites: SuiteStore) -> None:
    suites.create(suite(ArtifactRef(model=A)))
    first, again, other = (suites.run_now("nightly", request_id) for request_id in ("r1", "r1", "r2"))
    assert first == again
    assert first.id != other.id
    assert suites.run_now("nightly").id != suites.run_now("nightly").id


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
