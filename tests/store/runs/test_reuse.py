"""Claims about work that was done already: its report is taken over, and nothing else is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis

from dropaudit.plan import Role
from dropaudit_store.records import (
    ArtifactRef,
    AuditState,
    Failure,
    Glob,
)
from support.batches import TOOL, Batches, failing
from support.reports import finding

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


def test_work_that_was_done_is_not_done_again(batches: Batches) -> None:
    for digest, name in ((A, "a.onnx"), (B, "b.onnx")):
        batches.models.add(digest, 1, name)
    batches.suite(Glob(pattern="*", role=Role.TRAIN))
    batches.works.note_tool(TOOL)
    first = batches.begin("first")
    batches.finish(first, {"a.onnx": failing(finding("DA301", "drop"))})
    batches.models.add(C, 1, "b.onnx")
    second = batches.begin("second")
    assigned = batches.runs.read.assigned(second.name)
    assert (assigned[0].reused, assigned[0].audit) == (True, batches.requests(first)[0].id)
    assert not assigned[1].reused
    counts = batches.counts(second)
    assert (counts.reused, counts.left, counts.verdicts, counts.states[AuditState.SUCCEEDED]) == (1, 1, {"FAIL": 1}, 1)
    batches.finish(second)
    assert batches.counts(second).end_time is not None


def test_all_of_a_run_may_be_work_that_was_done(batches: Batches) -> None:
    batches.models.add(A, 1, "a.onnx")
    batches.suite(ArtifactRef(model=A))
    batches.works.note_tool(TOOL)
    batches.finish(batches.begin("first"))
    second = batches.begin("second")
    counts = batches.counts(second)
    assert (counts.reused, counts.left, counts.end_time) == (1, 0, batches.clock.now)


@pytest.mark.parametrize(
    "other",
    ["always", "asked", "tool", "two tools", "no worker", "role", "plan", "content", "failed", "deleted"],
)
def test_work_is_done_again_where_anything_is_different(batches: Batches, other: str) -> None:
    batches.models.add(A, 1, "a.onnx")
    suite = batches.suite(Glob(pattern="*"), always_audit=other == "always")
    if other != "no worker":
        batches.works.note_tool(TOOL)
    first = batches.begin("first")
    batches.finish(first, {"a.onnx": Failure(reason="OUT_OF_MEMORY", message="no")} if other == "failed" else None)
    changes: dict[str, dict[str, Any]] = {
        "role": {"members": (Glob(pattern="*", role=Role.TRAIN),)},
        "plan": {"plan": msgspec.structs.replace(suite.plan, seed=4)},
    }
    if other in changes:
        batches.suites.replace(suite, msgspec.structs.replace(suite, **changes[other]))
    if other == "content":
        batches.models.add(B, 1, "a.onnx")
    if other == "tool":
        batches.clock.now += 100
    if other in ("tool", "two tools"):
        batches.works.note_tool("dropaudit 2, onnxruntime 1")
    if other == "deleted":
        batches.audits.delete(batches.requests(first)[0].id)
    second = batches.begin("second", always_audit=other == "asked")
    assert batches.counts(second).reused == 0
    assert len(batches.woken) == 2


def test_an_audit_whose_report_is_taken_over_lives_as_long_as_the_new_run(
    redis_client: redis.Redis, batches: Batches
) -> None:
    kept = Batches(redis_client, batches.clock, retention_seconds=100.0, run_seconds=100.0)
    kept.models.add(A, 1, "a.onnx")
    kept.suite(ArtifactRef(model=A))
    kept.works.note_tool(TOOL)
    first = kept.begin("first")
    kept.finish(first)
    audit = kept.requests(first)[0]
    kept.clock.now += 50
    kept.works.note_tool(TOOL)
    kept.begin("second")
    kept.clock.now += 60
    kept.audits.delete_expired()
    assert kept.audits.get(audit.id).expire_time == kept.clock.now - 60 + 100
