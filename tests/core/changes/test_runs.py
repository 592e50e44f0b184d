"""Claims about what changed from one run to the next."""

from __future__ import annotations

import json

import msgspec
import pytest

from dropaudit.changes import (
    Kind,
    MemberChange,
    NotMade,
    Outcome,
    RunChange,
    Sample,
    Status,
    Trigger,
    compare_members,
    compare_runs,
    trends,
    triggers_of,
)
from dropaudit.changes.movement import Quantity
from dropaudit.report import Artifact, Interval, Report, to_json
from support.reports import finding, report_with

GOOD = report_with()
BAD = report_with(finding("DA301", "drop"), title="DA301")
UNDECIDED = report_with(finding("DA901", "drop"), title="DA901")
WARNED = report_with(finding("DA102", "drop"))
BROKEN = NotMade(reason="INVALID_MODEL", message="it is damaged", digests=("ab" * 32,))


def version(report: Report, digest: str = "cd", runtime: str = "onnxruntime 1.31.1") -> Report:
    execution = msgspec.structs.replace(
        report.execution, artifacts=(Artifact(sha256=digest * 32, bytes=1),), runtime_version=runtime
    )
    return msgspec.structs.replace(report, execution=execution)


def keeping(estimate: float) -> Report:
    interval = Interval(estimate=estimate, lower=estimate - 0.003, upper=estimate + 0.003)
    return msgspec.structs.replace(GOOD, sites=(msgspec.structs.replace(GOOD.sites[0], keep_prob=interval),))


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (GOOD, GOOD, Status.UNCHANGED),
        (GOOD, BAD, Status.FAILED),
        (GOOD, BROKEN, Status.FAILED),
        (BAD, BROKEN, Status.CHANGED),
        (BAD, BAD, Status.UNCHANGED),
        (BROKEN, BROKEN, Status.UNCHANGED),
        (BAD, GOOD, Status.RECOVERED),
        (BROKEN, WARNED, Status.RECOVERED),
        (BAD, UNDECIDED, Status.CHANGED),
        (UNDECIDED, GOOD, Status.RECOVERED),
        (UNDECIDED, BAD, Status.FAILED),
        (GOOD, WARNED, Status.CHANGED),
        (GOOD, keeping(0.6), Status.CHANGED),
        (GOOD, version(GOOD, "ab", "onnxruntime 1.32.0"), Status.CHANGED),
        (GOOD, version(GOOD), Status.CHANGED),
        (None, GOOD, Status.CHANGED),
        (None, BAD, Status.FAILED),
        (BAD, None, Status.CHANGED),
    ],
)
def test_a_member_has_one_status(before: Outcome | None, after: Outcome | None, status: Status) -> None:
    assert compare_members("m", before, after).status is status


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, GOOD, Kind.ADDED),
        (GOOD, None, Kind.REMOVED),
        (GOOD, version(GOOD), Kind.REPLACED),
        (GOOD, GOOD, Kind.KEPT),
        (NotMade(reason="R"), GOOD, Kind.KEPT),
        (BROKEN, version(GOOD), Kind.REPLACED),
    ],
)
def test_another_digest_is_another_version(before: Outcome | None, after: Outcome | None, kind: Kind) -> None:
    assert compare_members("m", before, after).kind is kind


def test_a_member_of_neither_run_is_refused() -> None:
    with pytest.raises(ValueError, match="'m' is in neither run"):
        compare_members("m", None, None)


def test_what_could_not_be_audited_has_neither_new_nor_fixed_findings() -> None:
    change = compare_members("m", BAD, BROKEN)
    assert not change.findings.is_news
    assert change.after is not None
    assert (change.after.reason, change.after.summary) == ("INVALID_MODEL", "it is damaged")


def test_a_difference_names_exactly_the_members_that_were_replaced() -> None:
    before: dict[str, Outcome] = {f"m{number}": GOOD for number in range(200)}
    faulty = {f"m{number}": version(BAD) for number in (3, 77, 150)}
    found = compare_runs(before, {**before, **faulty})
    assert [change.member for change in found.members] == ["m3", "m77", "m150"]
    assert all([each.code for each in change.findings.new] == ["DA301"] for change in found.members)
    assert (found.status, found.failing, found.unchanged) == (Status.FAILED, True, 197)
    assert found.counts == {"KEPT": 197, "REPLACED": 3, "UNCHANGED": 197, "FAILED": 3}
    mended = compare_runs({**before, **faulty}, before)
    assert (mended.status, len(mended.members)) == (Status.RECOVERED, 3)


def test_members_that_came_and_went_are_told() -> None:
    found = compare_runs({"a": GOOD, "b": GOOD}, {"c": GOOD, "a": GOOD})
    assert [(change.member, change.kind) for change in found.members] == [("c", Kind.ADDED), ("b", Kind.REMOVED)]


def test_another_runtime_is_told_once_for_the_run() -> None:
    newer = version(GOOD, "ab", "onnxruntime 1.32.0")
    found = compare_runs({"a": GOOD, "b": GOOD}, {"a": newer, "b": newer})
    assert found.runtime_versions == (("onnxruntime 1.31.1",), ("onnxruntime 1.32.0",))
    assert compare_runs({"a": GOOD}, {"a": GOOD}).runtime_versions is None


@pytest.mark.parametrize(
    ("before", "after", "pulled"),
    [
        (None, {"a": GOOD}, ""),
        (None, {"a": BAD}, "ON_CHANGE ON_FAILURE"),
        ({"a": GOOD}, {"a": GOOD}, ""),
        ({"a": GOOD}, {"a": BAD}, "ON_CHANGE ON_FAILURE"),
        ({"a": BAD}, {"a": BAD}, "ON_FAILURE"),
        ({"a": BAD, "b": GOOD}, {"a": BAD, "b": BAD}, "ON_CHANGE ON_FAILURE"),
        ({"a": BAD}, {"a": GOOD}, "ON_CHANGE ON_RECOVERY"),
        ({"a": BAD, "b": BAD}, {"a": GOOD, "b": BAD}, "ON_CHANGE ON_FAILURE"),
        ({"a": BAD}, {}, "ON_CHANGE"),
        ({}, {"a": GOOD}, "ON_CHANGE ON_RECOVERY"),
        ({}, {}, ""),
        ({"a": BAD}, {"a": UNDECIDED}, "ON_CHANGE"),
    ],
)
def test_a_run_pulls_the_triggers_of_what_became_of_it(
    before: dict[str, Outcome] | None, after: dict[str, Outcome], pulled: str
) -> None:
    found = triggers_of(compare_runs(before, after))
    assert found == {Trigger.ALWAYS, *map(Trigger, pulled.split())}


def test_a_comparison_survives_the_way_to_json_and_back() -> None:
    found = compare_runs({"a": GOOD, "b": BROKEN}, {"a": version(BAD, runtime="x"), "c": keeping(0.4), "b": GOOD})
    document = json.loads(json.dumps(to_json(found)))
    assert msgspec.convert(document, RunChange, strict=False) == found
    assert document["members"][0]["findings"]["new"][0]["code"] == "DA301"
    assert msgspec.convert(document["members"][0], MemberChange, strict=False) == found.members[0]


def test_a_series_goes_on_over_runs_and_marks_where_it_moved() -> None:
    samples = [
        Sample(label=f"run{number}", report=keeping(rate)) for number, rate in enumerate((0.5, 0.5005, 0.6, 0.6004))
    ]
    (rates,) = (each for each in trends(samples) if each.quantity is Quantity.KEEP_PROB)
    assert [(point.label, point.value.estimate, point.moved) for point in rates.points] == [
        ("run0", 0.5, False),
        ("run1", 0.5005, False),
        ("run2", 0.6, True),
        ("run3", 0.6004, False),
    ]


def test_a_series_follows_a_site_that_was_renamed() -> None:
    renamed = report_with(site="dropout_9")
    found = trends([Sample(label="1", report=GOOD), Sample(label="2", report=renamed)])
    assert {(each.subject, len(each.points)) for each in found} == {("dropout_9", 2), ("y", 2)}


def test_a_series_has_no_point_where_nothing_was_measured() -> None:
    unmeasured = msgspec.structs.replace(GOOD, sites=(), outputs=())
    found = trends([Sample(label="1", report=GOOD), Sample(label="2", report=unmeasured)])
    assert all([point.label for point in each.points] == ["1"] for each in found)
    assert trends([]) == ()
