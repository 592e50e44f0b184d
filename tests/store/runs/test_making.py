"""Claims about how a run comes to its audits, is counted, and is cancelled."""

from __future__ import annotations

import threading

import pytest

from dropaudit.plan import Provider, Role
from dropaudit_store.errors import ModelNotFound, RunNotFound, RunTooLarge, SuiteNotFound
from dropaudit_store.records import (
    ArtifactRef,
    AuditState,
    Failure,
    Glob,
    NamedModel,
    Overrides,
    PairPattern,
    PairRef,
    PlanChanges,
    Priority,
    RunPhase,
    RunTrigger,
)
from dropaudit_store.redis.connection import key
from dropaudit_store.runs.store import Begin
from support.batches import Batches, failing
from support.reports import finding

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


def test_a_run_has_an_audit_for_each_member_with_the_suite_s_plan_and_labels(batches: Batches) -> None:
    for digest, name in ((A, "a.onnx"), (B, "b.onnx")):
        batches.models.add(digest, 1, name)
    batches.suite(ArtifactRef(model=A, role=Role.TRAIN), ArtifactRef(model=B))
    run = batches.begin()
    records = batches.requests(run)
    assert [each.request.spec.subject for each in records] == [
        ArtifactRef(model=A, role=Role.TRAIN),
        ArtifactRef(model=B),
    ]
    assert {each.request.run for each in records} == {"suites/nightly/runs/r"}
    assert all(each.request.priority is Priority.BATCH for each in records)
    assert all(each.request.labels == {"team": "x"} for each in records)
    assert [each.request.display_name for each in records] == ["a.onnx", "b.onnx"]
    assert batches.woken == [each.id for each in records]


def test_a_pattern_takes_the_newest_version_of_each_name_at_the_time_of_the_run(batches: Batches) -> None:
    batches.suite(Glob(pattern="lstm-*.onnx", role=Role.TRAIN))
    for digest, name in ((A, "lstm-1.onnx"), (B, "gru.onnx"), (C, "lstm-2.onnx"), (D, "lstm-1.onnx")):
        batches.models.add(digest, 1, name)
    run = batches.begin()
    assert [each.request.spec.subject for each in batches.requests(run)] == [
        ArtifactRef(model=D, role=Role.TRAIN),
        ArtifactRef(model=C, role=Role.TRAIN),
    ]
    assert [each.request.model_version for each in batches.requests(run)] == [2, 1]


def test_members_by_alias_number_and_every_version(batches: Batches) -> None:
    for digest in (A, B, C):
        batches.models.add(digest, 1, "m.onnx")
    batches.names.set_alias("m.onnx", "production", 2)
    batches.suite(
        NamedModel(display_name="m.onnx"),
        NamedModel(display_name="m.onnx", alias="production"),
        NamedModel(display_name="m.onnx", version=1),
        Glob(pattern="*", alias="production"),
        Glob(pattern="m*", all_versions=True),
    )
    run = batches.begin()
    found = [(each.display_name, each.files[0].sha256) for each in batches.runs.read.members(run.name)]
    assert found == [
        ("m.onnx", C),
        ("m.onnx (2)", B),
        ("m.onnx (3)", A),
        ("m.onnx (4)", B),
        ("m.onnx:1", A),
        ("m.onnx:2", B),
        ("m.onnx:3", C),
    ]


def test_pairs_are_found_by_what_their_names_have_in_common(batches: Batches) -> None:
    for digest, name in ((A, "x-train.onnx"), (B, "x-inference.onnx"), (C, "y-train.onnx"), (D, "z-inference.onnx")):
        batches.models.add(digest, 1, name)
    batches.suite(PairPattern(train="{name}-train.onnx", inference="{name}-inference.onnx"))
    run = batches.begin()
    assert [each.request.spec.subject for each in batches.requests(run)] == [PairRef(train=A, inference=B)]
    assert batches.names_in(run) == ["x-train.onnx + x-inference.onnx"]
    assert run.notes == (
        "members[0]: y-train.onnx has no counterpart",
        "members[0]: z-inference.onnx has no counterpart",
    )


def test_what_a_pattern_of_pairs_holds_beside_the_name_is_taken_as_it_is(batches: Batches) -> None:
    for digest, name in ((A, "a[1].train"), (B, "a[1].infer"), (C, "b1.train"), (D, "b1.infer")):
        batches.models.add(digest, 1, name)
    batches.suite(PairPattern(train="{name}[1].train", inference="{name}[1].infer"))
    assert batches.names_in(batches.begin()) == ["a[1].train + a[1].infer"]


def test_a_member_does_otherwise_what_its_overrides_say(batches: Batches) -> None:
    batches.models.add(A, 1, "m.onnx")
    changes = PlanChanges(alpha=0.01, provider=Provider.CPU)
    overrides = Overrides(role=Role.TRAIN, keep_prob=0.5, plan=changes, display_name="mine")
    batches.suite(Glob(pattern="*"), Glob(pattern="*"), overrides=(overrides, Overrides()))
    run = batches.begin()
    first, second = (each.request.spec for each in batches.requests(run))
    assert first.subject == ArtifactRef(model=A, role=Role.TRAIN, keep_prob=0.5)
    assert (first.plan.alpha, first.plan.provider, first.plan.seed) == (0.01, Provider.CPU, 3)
    assert (second.subject, second.plan.alpha) == (ArtifactRef(model=A), 0.001)
    assert batches.names_in(run) == ["mine", "m.onnx"]


def test_a_run_without_members_ends_inconclusive_and_says_why(batches: Batches) -> None:
    batches.suite(Glob(pattern="*.onnx"), NamedModel(display_name="gone.onnx"))
    run = batches.begin()
    counts = batches.counts(run)
    assert (run.phase, counts.total, counts.end_time) == (RunPhase.MADE, 0, batches.clock.now)
    assert run.notes[0] == "members[0]: the pattern '*.onnx' matches nothing"
    assert "'gone.onnx'" in run.notes[1]
    assert run.reason == "; ".join(["nothing was audited", *run.notes])
    assert batches.conclude(run).verdict == "INCONCLUSIVE"


def test_one_request_is_one_run_whatever_came_since(batches: Batches) -> None:
    batches.suite(Glob(pattern="*"))
    batches.models.add(A, 1, "a.onnx")
    first = batches.begin()
    batches.models.add(B, 1, "b.onnx")
    again = batches.begin()
    assert again == first
    assert batches.client.zcard(key("audits")) == 1


def test_firing_twice_for_one_due_time_is_one_run(batches: Batches) -> None:
    batches.models.add(A, 1, "a.onnx")
    batches.suite(ArtifactRef(model=A))
    first, again = (batches.begin("19700101t1640z", due=60_000.0) for _ in range(2))
    assert first == again
    assert (first.trigger, first.due_time) == (RunTrigger.SCHEDULE, 60_000.0)
    assert [run.id for run in batches.runs.read.page("nightly", 9)[0]] == [first.id]


def test_what_does_not_exist_is_not_found(batches: Batches) -> None:
    with pytest.raises(RunNotFound):
        batches.runs.read.get("none", "r")
    suite = batches.suite(Glob(pattern="*"))
    batches.suites.delete("nightly")
    with pytest.raises(SuiteNotFound):
        batches.runs.begin(suite, Begin("r", RunTrigger.MANUAL))
    batches.maker.make("nightly", "r")


def test_counts_follow_the_audits_of_the_run_and_of_no_other(batches: Batches) -> None:
    for number in range(4):
        batches.models.add(str(number) * 64, 1, f"{number}.onnx")
    batches.suite(Glob(pattern="*"))
    run, other = batches.begin("r"), batches.begin("other")
    assert batches.counts(run).states[AuditState.QUEUED] == 4
    lease = batches.audits.claim(batches.requests(run)[0].id, 30.0)
    assert lease is not None
    counts = batches.counts(run)
    assert (counts.states[AuditState.QUEUED], counts.states[AuditState.RUNNING], counts.left) == (3, 1, 4)
    batches.audits.give_back(lease)
    assert batches.counts(run).states[AuditState.QUEUED] == 4
    batches.audits.cancel(batches.requests(run)[3].id)
    batches.finish(
        run,
        {"0.onnx": failing(finding("DA301", "drop")), "1.onnx": Failure(reason="INVALID_MODEL", message="no model")},
    )
    counts = batches.counts(run)
    ended = {state.value: number for state, number in counts.states.items() if number}
    assert ended == {"SUCCEEDED": 2, "FAILED": 1, "CANCELLED": 1}
    assert counts.verdicts == {"FAIL": 1, "PASS": 1}
    assert (counts.left, counts.end_time) == (0, batches.clock.now)
    assert batches.counts(other).left == 4


def test_an_audit_that_loses_its_worker_is_counted_once(batches: Batches) -> None:
    batches.models.add(A, 1, "a.onnx")
    batches.suite(ArtifactRef(model=A))
    run = batches.begin()
    audit = batches.requests(run)[0].id
    for _ in range(2):
        batches.audits.claim(audit, 30.0)
        batches.clock.now += 31
        batches.audits.release_expired(max_attempts=2)
    counts = batches.counts(run)
    assert (counts.states[AuditState.FAILED], counts.states[AuditState.QUEUED], counts.left) == (1, 0, 0)


def test_a_model_that_is_deleted_before_its_audit_is_made_fails_alone(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    for digest, name in ((A, "a.onnx"), (B, "b.onnx")):
        batches.models.add(digest, 1, name)
    batches.suite(Glob(pattern="*"))
    listed = batches.runs.list_members

    def deleting(*args: object) -> bool:
        batches.models.delete(A)
        return listed(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(batches.runs, "list_members", deleting)
    run = batches.begin()
    assigned = batches.runs.read.assigned(run.name)
    assert (assigned[0].audit, assigned[0].state) == ("", AuditState.FAILED)
    assert A in assigned[0].reason
    counts = batches.counts(run)
    assert (counts.left, counts.states[AuditState.FAILED], counts.states[AuditState.QUEUED]) == (1, 1, 1)


def test_a_run_that_got_stuck_anywhere_goes_on_without_a_second_audit(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(450):
        batches.models.add(f"{number:064x}", 1, f"{number:03}.onnx")
    suite = batches.suite(Glob(pattern="*"))
    run = batches.runs.begin(suite, Begin("r", RunTrigger.MANUAL))
    for name in ("list_members", "assign", "made"):
        whole = getattr(batches.runs, name)

        def breaking(*args: object, _whole: object = whole) -> None:
            _whole(*args)  # type: ignore[operator]
            raise RuntimeError("the process is killed")

        monkeypatch.setattr(batches.runs, name, breaking)
        with pytest.raises(RuntimeError, match="killed"):
            batches.maker.make("nightly", "r")
        monkeypatch.undo()
    batches.maker.make("nightly", "r")
    assert batches.client.zcard(key("audits")) == 450
    assert batches.counts(run).left == batches.counts(run).states[AuditState.QUEUED] == 450
    assert batches.runs.take_resolving(0.0) == []


def test_two_that_make_the_same_run_make_it_once(batches: Batches) -> None:
    for number in range(300):
        batches.models.add(f"{number:064x}", 1, f"{number:03}.onnx")
    suite = batches.suite(Glob(pattern="*"))
    batches.runs.begin(suite, Begin("r", RunTrigger.MANUAL))
    threads = [threading.Thread(target=batches.maker.make, args=("nightly", "r")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert batches.client.zcard(key("audits")) == 300


def test_a_cancelled_run_has_no_audit_left_to_make(batches: Batches) -> None:
    for digest, name in ((A, "a.onnx"), (B, "b.onnx")):
        batches.models.add(digest, 1, name)
    batches.suite(Glob(pattern="*"))
    run = batches.begin()
    lease = batches.audits.claim(batches.requests(run)[0].id, 30.0)
    assert lease is not None
    cancelled = batches.maker.cancel("nightly", "r", "enough")
    assert (cancelled.phase, cancelled.reason) == (RunPhase.CANCELLED, "enough")
    assert batches.counts(run).left == 1
    assert not batches.audits.extend(lease, 30.0)
    batches.audits.stopped(lease)
    assert batches.counts(run).end_time is not None
    # It is over: nothing changes any more.
    assert batches.maker.cancel("nightly", "r", "again").reason == "enough"


def test_a_run_that_is_cancelled_in_the_middle_of_being_made_ends(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(500):
        batches.models.add(f"{number:064x}", 1, f"{number:03}.onnx")
    batches.suite(Glob(pattern="*"))
    assign = batches.runs.assign

    def cancelling(*args: object) -> None:
        assign(*args)  # type: ignore[arg-type]
        batches.maker.cancel("nightly", "r", "enough")

    monkeypatch.setattr(batches.runs, "assign", cancelling)
    run = batches.begin()
    counts = batches.counts(run)
    assert (counts.left, counts.states[AuditState.CANCELLED], counts.total) == (0, 500, 500)
    assert batches.client.zcard(key("audits")) == 200


def test_a_run_is_cancelled_before_anything_is_known_of_it(batches: Batches) -> None:
    suite = batches.suite(Glob(pattern="*"))
    batches.runs.begin(suite, Begin("r", RunTrigger.MANUAL))
    batches.maker.cancel("nightly", "r", "enough")
    run = batches.runs.read.get("nightly", "r")
    assert (run.phase, batches.counts(run).end_time) == (RunPhase.CANCELLED, batches.clock.now)


def test_a_suite_that_stands_for_too_much_has_no_run_or_one_that_says_so(
    batches: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    for digest in (A, B, C):
        batches.models.add(digest, 1, digest[:4])
    suite = batches.suite(Glob(pattern="*"), Glob(pattern="a*"))
    monkeypatch.setattr("dropaudit_store.members.resolving.MOST_OF_RUN", 3)
    batches.runs.begin(suite, Begin("r", RunTrigger.MANUAL))
    with pytest.raises(RunTooLarge, match="more than 3"):
        batches.maker.make("nightly", "r", too_large=True)
    batches.maker.make("nightly", "r")
    assert "more than 3" in batches.runs.read.get("nightly", "r").reason


def test_an_unknown_model_keeps_a_suite_from_being_stored(batches: Batches) -> None:
    with pytest.raises(ModelNotFound):
        batches.suite(ArtifactRef(model=A))


def test_what_an_earlier_version_made_is_readable(batches: Batches) -> None:
    batches.client.set(
        key("run", "nightly", "old"),
        '{"suite":"nightly","id":"old","trigger":"MANUAL","audits":["1","2"],"create_time":5.0}',
    )
    found = batches.runs.read.get("nightly", "old")
    assert (found.audits, found.phase) == (("1", "2"), RunPhase.MADE)
    batches.client.set(
        key("suite", "old"),
        '{"id":"old","members":[{"type":"glob","pattern":"*"}],"plan":{},"create_time":1.0,"update_time":2.0}',
    )
    assert batches.suites.get("old").members == (Glob(pattern="*"),)
