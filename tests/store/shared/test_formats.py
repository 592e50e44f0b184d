"""Claims about records of two versions: each reads the other's, and loses nothing of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis

from dropaudit.plan import Plan, Role
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.routing import Routes
from dropaudit_store.errors import RecordTooNew
from dropaudit_store.records import (
    ArtifactRef,
    AuditRequest,
    AuditState,
    ModelRecord,
    Priority,
    Run,
    RunPhase,
    RunTrigger,
    Spec,
    Suite,
)
from dropaudit_store.runs.store import Begin, RunStore
from dropaudit_store.shared.formats import FORMAT, changed_record, read_record, write_record
from dropaudit_store.suites import SuiteStore
from support.clock import Clock

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="0" * 64), plan=Plan()))
MODEL = ModelRecord(sha256="a" * 64, size=3, create_time=1.0)


def of_a_newer_minor_version(client: redis.Redis, key: str) -> None:
    """Change a record to one that a newer version wrote: with fields that nobody here knows."""
    document = json.loads(str(client.get(key)))
    newer = {**document, "format": "1.7", "shade": {"of": ["grey"]}}
    client.set(key, json.dumps(newer), keepttl=True)


def test_a_record_says_its_format_first_and_comes_back_as_it_was() -> None:
    stored = write_record(MODEL)
    assert stored.startswith(f'{{"format":"{FORMAT}","sha256":"aaa')
    assert read_record(stored, ModelRecord, "a model") == MODEL


@pytest.mark.parametrize("said", ["", '"format":"1.0",', '"format":"1.99",'])
def test_fields_that_only_another_version_knows_are_passed_over(said: str) -> None:
    stored = f'{{{said}"sha256":"{"a" * 64}","size":3,"create_time":1.0,"shade":[1]}}'
    assert read_record(stored, ModelRecord, "a model") == MODEL


@pytest.mark.parametrize("found", ["2.0", "17", "next"])
def test_a_record_of_an_unknown_major_version_is_refused_in_a_sentence(found: str) -> None:
    with pytest.raises(RecordTooNew) as caught:
        read_record(f'{{"format":"{found}","colour":1}}', ModelRecord, "a model")
    assert caught.value.message == (
        f"a model was written by a newer version, in format {found}; this version reads 1.x, and leaves it as it is: "
        "ask a server of the newer version, or upgrade this one"
    )


def test_a_change_keeps_what_this_version_does_not_know() -> None:
    stored = '{"format":"1.7","sha256":"a","size":3,"create_time":1.0,"shade":{"x":1}}'
    before = ModelRecord(sha256="a", size=3, create_time=1.0)
    after = ModelRecord(sha256="a", size=3, create_time=1.0, display_name="m")
    assert json.loads(changed_record(stored, before, after)) == {**json.loads(stored), "display_name": "m"}
    assert json.loads(changed_record(changed_record(stored, before, after), after, before)) == json.loads(stored)


def test_a_suite_of_a_newer_minor_version_is_changed_and_keeps_its_fields(redis_client: redis.Redis) -> None:
    suites = SuiteStore(redis_client)
    members = (ArtifactRef(uri="file:///m.onnx", role=Role.TRAIN),)
    before = suites.create(Suite(id="s", members=members, plan=Plan(), create_time=1.0, update_time=1.0))
    of_a_newer_minor_version(redis_client, "dropaudit:suite:s")
    after = Suite(id="s", members=members, plan=Plan(seed=7), create_time=1.0, update_time=2.0)
    assert suites.replace(before, after) == suites.get("s") == after
    kept = json.loads(str(redis_client.get("dropaudit:suite:s")))
    assert (kept["format"], kept["shade"], kept["plan"]["seed"]) == ("1.7", {"of": ["grey"]}, 7)
    suites.delete("s")
    assert list(suites.every()) == []


def test_a_run_of_a_newer_minor_version_is_brought_to_its_end(redis_client: redis.Redis) -> None:
    suites, runs = SuiteStore(redis_client), RunStore(redis_client)
    members = (ArtifactRef(uri="file:///m.onnx", role=Role.TRAIN),)
    suite = suites.create(Suite(id="s", members=members, plan=Plan(), create_time=1.0, update_time=1.0))
    run = runs.begin(suite, Begin("r", RunTrigger.MANUAL))
    of_a_newer_minor_version(redis_client, "dropaudit:run:s:r")
    assert runs.list_members(run, [], ["odd"])
    runs.made(runs.read.get("s", "r"))
    made = runs.read.get("s", "r")
    assert (made.phase, made.notes) == (RunPhase.MADE, ("odd",))
    assert json.loads(str(redis_client.get("dropaudit:run:s:r")))["shade"] == {"of": ["grey"]}
    assert isinstance(made, Run)


def test_an_audit_of_an_unknown_major_version_is_left_as_it_is_by_every_step(
    redis_client: redis.Redis, store: AuditStore, clock: Clock
) -> None:
    newer, known = store.create(REQUEST), store.create(REQUEST)
    lease = store.claim(newer.id, 10.0)
    assert lease
    place = f"dropaudit:audit:{newer.id}"
    redis_client.hset(place, "format", "2.0")
    before = redis_client.hgetall(place)
    steps: list[Callable[[], object]] = [
        lambda: store.get(newer.id),
        lambda: store.claim(newer.id, 10.0),
        lambda: store.extend(lease, 10.0),
        lambda: store.cancel(newer.id),
        lambda: store.give_back(lease),
        lambda: store.stopped(lease),
        lambda: store.lose(newer.id, "", "x", 3),
        lambda: store.delete(newer.id),
    ]
    for step in steps:
        with pytest.raises(RecordTooNew, match=rf"audits/{newer.id} was written by a newer version, in format 2\.0"):
            step()
    # Those that look after all audits pass it over, and go on with the others.
    store.claim(known.id, 5.0)
    clock.now += 100.0
    assert store.release_expired(3) == [known.id]
    assert Routes(redis_client).of(newer.id).priority is Priority.INTERACTIVE
    assert redis_client.hgetall(place) == before
    redis_client.hset(place, "format", "1.9")
    assert store.get(newer.id).state is AuditState.RUNNING
