"""Claims about the end of a run: its verdict, what changed, what is accepted, and who is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dropaudit.acceptance import AcceptedFinding
from dropaudit.plan import Role
from dropaudit.report import Report
from dropaudit_store.notifications.deliveries import DeliveryState, DeliveryStore
from dropaudit_store.records import Failure, Glob, NotifyOn, Target
from dropaudit_store.redis.connection import key
from support.batches import TOOL, Batches, failing
from support.reports import finding, report_with

A, B, C, D = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)
UNSCALED = failing(finding("DA301", "drop"))


@pytest.fixture
def three(batches: Batches) -> Batches:
    for digest, name in ((A, "a.onnx"), (B, "b.onnx"), (C, "c.onnx")):
        batches.models.add(digest, 1, name)
    batches.suite(Glob(pattern="*", role=Role.TRAIN))
    return batches


def members_of(result: Any) -> dict[str, Any]:
    return {each["displayName"]: each for each in result.comparison["members"]}


def test_a_first_run_has_nothing_to_be_compared_with(three: Batches) -> None:
    result = three.whole("first", {"b.onnx": UNSCALED})
    assert result.verdict == "FAIL"
    assert result.comparison is not None
    assert (result.comparison["base"], result.comparison["status"]) == ("", "FIRST")
    assert result.comparison["members"] == []
    assert result.baseline is None


def test_what_changed_names_the_members_and_their_findings_and_no_other(three: Batches) -> None:
    three.works.note_tool(TOOL)
    three.whole("first")
    three.models.add(D, 1, "b.onnx")
    result = three.whole("second", {"b.onnx": UNSCALED})
    comparison: Any = result.comparison
    assert (comparison["base"], comparison["status"]) == ("suites/nightly/runs/first", "FAILED")
    found = members_of(result)
    assert list(found) == ["b.onnx"]
    assert (found["b.onnx"]["kind"], found["b.onnx"]["status"]) == ("REPLACED", "FAILED")
    assert (found["b.onnx"]["baseVerdict"], found["b.onnx"]["verdict"]) == ("PASS", "FAIL")
    assert [(each["kind"], each["code"]) for each in found["b.onnx"]["findings"]] == [("NEW", "DA301")]
    assert (found["b.onnx"]["baseSha256"], found["b.onnx"]["sha256"]) == ([B], [D])
    assert comparison["counts"]["replaced"] == comparison["counts"]["newFindings"] == 1
    three.models.add(B, 1, "b.onnx")
    third = three.whole("third")
    assert third.comparison is not None
    assert third.comparison["status"] == "RECOVERED"
    assert [each["kind"] for each in members_of(third)["b.onnx"]["findings"]] == ["FIXED"]


def test_members_come_and_go(three: Batches) -> None:
    three.whole("first")
    three.models.delete(A)
    three.models.add(D, 1, "d.onnx")
    found = members_of(three.whole("second"))
    assert {name: each["kind"] for name, each in found.items()} == {"d.onnx": "ADDED", "a.onnx": "REMOVED"}
    assert "audit" not in found["a.onnx"]
    assert "baseAudit" not in found["d.onnx"]


def test_an_unchanged_run_says_that_nothing_is_new_and_counts_what_persists(three: Batches) -> None:
    three.whole("first", {"b.onnx": UNSCALED})
    result: Any = three.whole("second", {"b.onnx": UNSCALED})
    assert (result.comparison["status"], result.comparison["members"]) == ("UNCHANGED", [])
    assert result.comparison["counts"]["persistingFindings"] == 1
    three.works.note_tool(TOOL)
    again: Any = three.whole("third")
    assert three.counts(three.runs.read.get("nightly", "third")).reused == 3
    assert (again.comparison["status"], again.comparison["counts"]["persistingFindings"]) == ("UNCHANGED", 1)


def test_what_could_not_be_made_is_told_with_its_reason(three: Batches) -> None:
    three.whole("first")
    result = three.whole("second", {"c.onnx": Failure(reason="INVALID_MODEL", message="it has no nodes")})
    assert result.verdict == "FAIL"
    assert members_of(result)["c.onnx"]["failure"] == "INVALID_MODEL: it has no nodes"


def test_runs_that_were_skipped_or_cancelled_are_not_compared_with(three: Batches) -> None:
    three.whole("first")
    three.begin("cancelled")
    three.maker.cancel("nightly", "cancelled", "enough")
    three.conclude(three.runs.read.get("nightly", "cancelled"))
    result: Any = three.whole("second")
    assert result.comparison["base"] == "suites/nightly/runs/first"


def test_a_pinned_baseline_is_compared_with_as_well(three: Batches) -> None:
    three.whole("first")
    three.whole("second", {"b.onnx": UNSCALED})
    suite = three.suites.get("nightly")
    three.suites.replace(suite, msgspec.structs.replace(suite, baseline="first"))
    result: Any = three.whole("third", {"b.onnx": UNSCALED})
    assert result.comparison["status"] == "UNCHANGED"
    assert (result.baseline["base"], result.baseline["status"]) == ("suites/nightly/runs/first", "FAILED")


def test_a_run_is_concluded_once(three: Batches) -> None:
    run = three.begin("first")
    assert not three.concluder.conclude("nightly", "first")
    three.finish(run)
    assert three.runs.take_ended(0.0) == [run.name]
    assert three.concluder.conclude("nightly", "first")
    assert not three.concluder.conclude("nightly", "first")
    three.clock.now += 1
    assert three.runs.take_ended(0.0) == []
    three.concluder.conclude("nightly", "none")


def accepting(batches: Batches, **fields: Any) -> None:
    accepted = AcceptedFinding(**{"code": "DA301", "reason": "known since March", "accepted_by": "ada", **fields})
    suite = batches.suites.get("nightly")
    kept: dict[str, Any] = msgspec.to_builtins(accepted)
    batches.suites.replace(suite, msgspec.structs.replace(suite, accepted=(kept,)))


def test_an_accepted_finding_does_not_move_the_verdict_and_stays_to_be_seen(three: Batches) -> None:
    three.whole("first", {"b.onnx": UNSCALED})
    accepting(three)
    result: Any = three.whole("second", {"b.onnx": UNSCALED})
    assert result.verdict == "PASS"
    assert list(result.verdicts) == ["1"]
    kept = result.verdicts["1"]
    assert (kept.verdict, kept.accepted[0]["code"], kept.accepted[0]["acceptance"]["acceptedBy"]) == (
        "PASS",
        "DA301",
        "ada",
    )
    assert result.comparison["status"] == "RECOVERED"
    assert [each["kind"] for each in members_of(result)["b.onnx"]["findings"]] == ["NEWLY_ACCEPTED"]
    third: Any = three.whole("third", {"b.onnx": UNSCALED})
    assert (third.verdict, third.comparison["status"]) == ("PASS", "UNCHANGED")


@pytest.mark.parametrize(
    "fields",
    [{"member": "a.onnx"}, {"subject": "other"}, {"code": "DA302"}, {"range": None, "expire_time": "past"}],
)
def test_what_is_not_covered_is_not_accepted(three: Batches, fields: dict[str, Any]) -> None:
    if fields.get("expire_time"):
        fields = {"expire_time": datetime.fromtimestamp(three.clock.now, UTC) - timedelta(seconds=1)}
    accepting(three, **fields)
    assert three.whole("first", {"b.onnx": UNSCALED}).verdict == "FAIL"


def test_a_finding_comes_back_when_its_acceptance_expires_though_nothing_is_audited_again(three: Batches) -> None:
    three.works.note_tool(TOOL)
    accepting(three, expire_time=datetime.fromtimestamp(three.clock.now + 50, UTC))
    assert three.whole("first", {"b.onnx": UNSCALED}).verdict == "PASS"
    three.clock.now += 50
    three.works.note_tool(TOOL)
    result: Any = three.whole("second")
    assert three.counts(three.runs.read.get("nightly", "second")).reused == 3
    assert (result.verdict, result.comparison["status"]) == ("FAIL", "FAILED")
    assert [each["kind"] for each in members_of(result)["b.onnx"]["findings"]] == ["RETURNED"]


def told(batches: Batches, *targets: NotifyOn) -> None:
    suite = batches.suites.get("nightly")
    receivers = tuple(Target(url=f"https://example.com/{each.value}", on=each) for each in targets)
    batches.suites.replace(suite, msgspec.structs.replace(suite, targets=receivers))


def test_each_receiver_is_told_of_what_it_asked_for(three: Batches) -> None:
    told(three, *NotifyOn)
    store = DeliveryStore(three.client, three.clock)
    heard: dict[str, set[str]] = {}
    reports: dict[str, dict[str, Report | Failure]] = {
        "first": {},
        "same": {},
        "broken": {"b.onnx": UNSCALED},
        "still broken": {"b.onnx": UNSCALED},
        "fixed": {"b.onnx": report_with()},
    }
    for number, name in enumerate(reports):
        run = f"r{number}"
        three.whole(run, reports[name])
        heard[name] = {each.on.value for each in store.page("nightly", 99)[0] if each.run.endswith(run)}
    assert heard == {
        "first": {"ALWAYS"},
        "same": {"ALWAYS"},
        "broken": {"ALWAYS", "ON_CHANGE", "ON_FAILURE"},
        "still broken": {"ALWAYS", "ON_FAILURE"},
        "fixed": {"ALWAYS", "ON_CHANGE", "ON_RECOVERY"},
    }
    assert all(each.state is DeliveryState.PENDING for each in store.page("nightly", 99)[0])


def test_a_cancelled_run_tells_nobody(three: Batches) -> None:
    told(three, *NotifyOn)
    three.begin("first")
    three.maker.cancel("nightly", "first", "enough")
    three.conclude(three.runs.read.get("nightly", "first"))
    assert DeliveryStore(three.client, three.clock).page("nightly", 9) == ([], "")


def test_a_comparison_that_fails_keeps_no_run_from_its_end(three: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    three.whole("first")
    run = three.begin("second")
    three.finish(run)
    audit = three.requests(run)[0].id
    three.client.hset(key("audit", audit), "report", '{"verdict": "NONSENSE"}')
    result = three.conclude(run)
    assert (result.verdict, result.comparison) == ("PASS", None)
