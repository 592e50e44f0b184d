"""Claims about runs of the schedule that are due while the one before has not finished, and what is left of them."""

from __future__ import annotations

from dropaudit_store.records import (
    ArtifactRef,
    Overlap,
    Run,
    RunPhase,
)
from support.batches import Batches

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


def scheduled(batches: Batches, overlap: Overlap) -> Run:
    batches.models.add(A, 1, "a.onnx")
    batches.suite(ArtifactRef(model=A), cron="* * * * *", overlap=overlap)
    return batches.begin("first", due=60.0)


def test_a_due_time_is_skipped_while_the_run_before_has_not_finished(batches: Batches) -> None:
    first = scheduled(batches, Overlap.SKIP)
    second = batches.begin("second", due=120.0)
    assert second.phase is RunPhase.SKIPPED
    assert "had not finished" in second.reason
    batches.finish(first)
    assert batches.begin("third", due=180.0).phase is RunPhase.MADE


def test_one_run_waits_and_what_is_due_meanwhile_is_skipped(batches: Batches) -> None:
    first = scheduled(batches, Overlap.QUEUE)
    phases = [batches.begin(name, due=due).phase for name, due in (("second", 120.0), ("third", 180.0))]
    assert phases == [RunPhase.WAITING, RunPhase.SKIPPED]
    batches.maker.make("nightly", "second")
    assert batches.runs.read.get("nightly", "second").phase is RunPhase.WAITING
    batches.finish(first)
    assert batches.runs.read.waiting("nightly") == "second"
    # Nobody overtakes who waits.
    assert batches.begin("fourth", due=240.0).phase is RunPhase.SKIPPED
    batches.maker.make("nightly", "second")
    assert batches.runs.read.get("nightly", "second").phase is RunPhase.MADE
    assert batches.begin("fifth", due=300.0).phase is RunPhase.WAITING


def test_an_older_run_is_cancelled_where_the_suite_says_so(batches: Batches) -> None:
    first = scheduled(batches, Overlap.CANCEL_OLD)
    manual = batches.begin("manual")
    second = batches.begin("second", due=120.0)
    assert second.phase is RunPhase.MADE
    found = batches.runs.read.get("nightly", "first")
    assert (found.phase, batches.counts(first).left) == (RunPhase.CANCELLED, 0)
    assert found.reason == "suites/nightly/runs/second was due before it had finished"
    # Somebody asked for that one.
    assert batches.runs.read.get("nightly", "manual").phase is RunPhase.MADE
    assert batches.counts(manual).left == 1


def test_a_run_that_somebody_asks_for_waits_for_none(batches: Batches) -> None:
    scheduled(batches, Overlap.SKIP)
    assert batches.begin("manual").phase is RunPhase.MADE


def test_a_deleted_suite_s_runs_are_gone_without_a_trace(batches: Batches) -> None:
    scheduled(batches, Overlap.QUEUE)
    batches.begin("second", due=120.0)
    batches.begin("manual")
    batches.suites.delete("nightly")
    batches.runs.delete_all("nightly")
    assert not list(batches.client.scan_iter("dropaudit:run*"))
    assert not list(batches.client.scan_iter("dropaudit:active*"))
    assert not list(batches.client.scan_iter("dropaudit:waiting*"))
