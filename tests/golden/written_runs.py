"""Reports of runs written by hand, with everything that a format has to show."""

from __future__ import annotations

import msgspec

from dropaudit.changes import NotMade, Point, Series, Status, compare_members
from dropaudit.changes.movement import Quantity
from dropaudit.report import Acceptance, Interval, Report
from dropaudit_formats.results import Result, word_of
from dropaudit_formats.runs.report import RunReport, Since
from golden.written_reports import HOSTILE
from support.reports import finding, report_with

_RUN = "suites/nightly/runs/0123456789abcdef0123456789abcdef"
_BEFORE = "suites/nightly/runs/fedcba9876543210fedcba9876543210"
_BASE = "suites/nightly/runs/00000000000000000000000000000000"
_GOOD = report_with()
_BAD = report_with(finding("DA301", "drop"), title="drop: DA301 was measured.")
_OPEN = report_with(finding("DA901", "y"), title="y: DA901 was measured.")
_WARNED = report_with(finding("DA402", "drop"))
_NOT_MADE = NotMade(reason="INVALID_MODEL", message="the file is cut off")


def _accepted() -> Report:
    known = msgspec.structs.replace(finding("DA301", "drop"), acceptance=Acceptance(reason="known", accepted_by="anna"))
    return report_with(known)


def _result(name: str, before: Report | NotMade | None, after: Report | NotMade, *, series: bool = False) -> Result:
    change = compare_members(name, before, after)
    words = ["PASS", *([word_of(before)] if before is not None else []), word_of(after)]
    return Result(
        name,
        after,
        audit=f"audits/{name.partition('.')[0]}",
        change=change if change.is_news else None,
        since_baseline=change if change.is_news and before is not None else None,
        history=tuple((f"run-{place}", word) for place, word in enumerate(words)),
        series=(_scale_factor(),) if series else (),
    )


def _scale_factor() -> Series:
    values = (1.0, 1.001, 0.801)
    points = tuple(
        Point(
            label=f"run-{place}",
            value=Interval(estimate=value, lower=value - 0.01, upper=value + 0.01),
            moved=place == 2,
        )
        for place, value in enumerate(values)
    )
    return Series(quantity=Quantity.SCALE_FACTOR, subject="y", points=points)


def _changed() -> RunReport:
    results = (
        _result("good.onnx", _GOOD, _GOOD),
        _result("broken.onnx", _GOOD, _BAD, series=True),
        _result("fixed.onnx", _BAD, _GOOD),
        _result("new.onnx", None, _WARNED),
        _result("gone-wrong.onnx", _GOOD, _NOT_MADE),
        _result("undecided.onnx", _GOOD, _OPEN),
        _result("accepted.onnx", _BAD, _accepted()),
    )
    removed = compare_members("removed.onnx", _GOOD, None)
    return RunReport(
        results,
        kind="member",
        title="Every night",
        name=_RUN,
        word="FAIL",
        facts=(("Run", _RUN), ("Suite", "suites/nightly"), ("Begun", "2026-11-26 03:00:00 UTC")),
        notes=("models/old.onnx matched nothing",),
        since=Since(_BEFORE, Status.FAILED, (removed,)),
        baseline=Since(_BASE, Status.FAILED),
    )


def _hostile() -> RunReport:
    report = report_with(finding("DA301", HOSTILE), site=HOSTILE, output=HOSTILE, title=HOSTILE)
    results = (
        Result(HOSTILE, report, audit="audits/1", change=compare_members(HOSTILE, _GOOD, report)),
        Result(HOSTILE, NotMade(reason="R", message=HOSTILE)),
        Result("n" * 10_000, _GOOD, history=((HOSTILE, "PASS"), ("b", HOSTILE))),
    )
    return RunReport(
        results,
        kind="member",
        title=HOSTILE,
        name=HOSTILE,
        word="FAIL",
        facts=((HOSTILE, HOSTILE),),
        notes=(HOSTILE,),
        since=Since(HOSTILE, Status.FAILED, (compare_members(HOSTILE, _GOOD, None),), (HOSTILE,)),
    )


RUNS = {
    "first": RunReport((Result("good.onnx", _GOOD),), kind="member", title="Every night", name=_RUN, word="PASS"),
    "changed": _changed(),
    "hostile": _hostile(),
    "running": RunReport(
        (Result("a.onnx", NotMade(reason="QUEUED", message="it has not ended"), waiting="QUEUED"),),
        kind="member",
        title="Every night",
        name=_RUN,
        word="RUNNING",
    ),
    "empty": RunReport((), kind="member", title="Every night", name=_RUN, word="INCONCLUSIVE", notes=("no match",)),
}
"""By name of the golden file."""
