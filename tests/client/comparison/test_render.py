"""Claims about what people read of what changed, and what comes over the wire of it."""

from __future__ import annotations

import msgspec
import pytest

from dropaudit.changes import Kind, MemberChange, NotMade, Sample, Status, compare_members, compare_runs, trends
from dropaudit.changes.movement import Quantity
from dropaudit.report import Artifact, Interval, Report
from dropaudit_client.comparison.render import render_changes, render_series
from dropaudit_client.terminal.render import to_text
from dropaudit_formats.escape import is_unsafe
from dropaudit_formats.runs.wire import member_changes
from dropaudit_proto.v1 import audit_pb2 as pb
from support.reports import finding, report_with

GOOD = report_with()
BAD = report_with(finding("DA301", "drop"), finding("DA102", "drop"))


def replaced(report: Report) -> Report:
    execution = msgspec.structs.replace(
        report.execution, artifacts=(Artifact(sha256="cd" * 32, bytes=1),), runtime_version="onnxruntime 1.32.0"
    )
    return msgspec.structs.replace(report, execution=execution)


def keeping(estimate: float) -> Report:
    interval = Interval(estimate=estimate, lower=estimate - 0.003, upper=estimate + 0.003)
    return msgspec.structs.replace(GOOD, sites=(msgspec.structs.replace(GOOD.sites[0], keep_prob=interval),))


def told(*changes: MemberChange) -> str:
    return to_text(render_changes(changes))


def test_nothing_changed_is_one_line() -> None:
    assert told(compare_members("a", GOOD, GOOD)) == "Nothing changed.\n"


def test_each_member_with_news_is_told_with_what_is_new_fixed_and_moved() -> None:
    found = compare_runs(
        {"a.onnx": GOOD, "b.onnx": BAD, "c.onnx": GOOD, "d.onnx": GOOD, "e.onnx": GOOD},
        {
            "a.onnx": replaced(BAD),
            "b.onnx": GOOD,
            "c.onnx": keeping(0.6),
            "d.onnx": NotMade(reason="INVALID_MODEL", message="it is damaged"),
            "f.onnx": GOOD,
            "e.onnx": GOOD,
        },
    )
    lines = to_text(render_changes(found.members)).splitlines()
    assert lines[0] == "5 members changed: 2 changed, 1 recovered, 2 failed."
    assert "FAILED  a.onnx  PASS → FAIL, replaced" in lines
    assert "  new ERROR DA301 scale-missing of drop: DA301 was measured." in lines
    assert "  onnxruntime 1.31.1 → onnxruntime 1.32.0" in lines
    assert "RECOVERED  b.onnx  FAIL → PASS" in lines
    assert "  fixed ERROR DA301 scale-missing of drop" in lines
    assert "CHANGED  c.onnx  PASS" in lines
    assert "  moved keep rate of drop: 0.4997 [0.4964, 0.5031] → 0.6 [0.597, 0.603]" in lines
    assert "FAILED  d.onnx  PASS → NOT MADE" in lines
    assert "  it is damaged" in lines
    assert "CHANGED  f.onnx  - → PASS, added" in lines
    assert max(map(len, lines)) <= 80


def test_names_steer_no_terminal() -> None:
    hostile = "a\x1b[2J\u202e"
    change = compare_members(hostile, GOOD, report_with(finding("DA301", hostile), site=hostile))
    assert not {char for char in told(change) if is_unsafe(char)} - {"\n"}


def test_a_series_marks_where_it_moved() -> None:
    series = trends([Sample(label=f"v{at}", report=keeping(rate)) for at, rate in enumerate((0.5, 0.6), 1)])
    lines = to_text(render_series(series)).splitlines()
    assert lines[:3] == ["keep rate of drop", "  v1  0.5 [0.497, 0.503]", "  v2  0.6 [0.597, 0.603]  moved"]
    assert to_text(render_series([])) == "Nothing was measured.\n"


def message(**more: object) -> pb.Comparison:
    return pb.Comparison(members=[pb.MemberChange(display_name="m", **more)])  # type: ignore[arg-type]


KEPT, REPLACED, ADDED, REMOVED = (pb.MemberChange.Kind.Value(word) for word in ("KEPT", "REPLACED", "ADDED", "REMOVED"))
PASS, WARN, FAIL = (pb.Report.Verdict.Value(word) for word in ("PASS", "WARN", "FAIL"))


@pytest.mark.parametrize(
    ("more", "status", "kind"),
    [
        ({"kind": REPLACED, "base_verdict": PASS, "verdict": FAIL}, "FAILED", "REPLACED"),
        ({"kind": KEPT, "base_verdict": FAIL, "verdict": WARN}, "RECOVERED", "KEPT"),
        ({"kind": KEPT, "base_verdict": PASS, "failure": "x"}, "FAILED", "KEPT"),
        ({"kind": ADDED, "verdict": PASS}, "CHANGED", "ADDED"),
        ({"kind": REMOVED, "base_verdict": FAIL}, "CHANGED", "REMOVED"),
    ],
)
def test_a_member_of_the_service_has_the_same_status(more: dict[str, object], status: str, kind: str) -> None:
    (change,) = member_changes(message(**more))
    assert (change.status, change.kind) == (Status(status), Kind(kind))


def test_the_status_that_the_service_tells_is_taken() -> None:
    (change,) = member_changes(message(kind=KEPT, base_verdict=PASS, verdict=PASS, status=pb.Comparison.RECOVERED))
    assert change.status is Status.RECOVERED


def test_findings_and_measures_of_the_service_are_told_in_the_same_words() -> None:
    comparison = message(kind=pb.MemberChange.KEPT, base_verdict=pb.Report.PASS, verdict=pb.Report.FAIL)
    member = comparison.members[0]
    member.findings.add(kind=pb.FindingChange.NEW, code="DA301", severity=pb.Finding.ERROR, subject="d", message="m")
    member.findings.add(kind=pb.FindingChange.PERSISTING, code="DA999", severity=pb.Finding.INFO, subject="d")
    member.findings[1].acceptance.reason = "meant"
    member.findings.add(
        kind=pb.FindingChange.RETURNED, code="DA305", severity=pb.Finding.INFO, subject="y", message="n"
    )
    member.findings[2].base_severity = pb.Finding.ERROR
    member.findings.add(kind=pb.FindingChange.NEWLY_ACCEPTED, code="DA304", severity=pb.Finding.INFO, subject="z")
    member.renamed["a"] = "b"
    measure = member.measures.add(subject="y", quantity="scaleFactor")
    measure.before.estimate, measure.after.estimate = 1, 2
    member.measures.add(subject="y", quantity="of-tomorrow")
    (change,) = member_changes(comparison)
    assert change.moved[0].quantity is Quantity.SCALE_FACTOR
    text = told(change)
    assert "  new ERROR DA301 scale-missing of d: m" in text
    assert "  back INFO DA305 mean-shift of y (was ERROR): n" in text
    assert "  accepted INFO DA304 classic-scaling of z" in text
    assert "  a is called b now" in text
    assert "DA999" in text
    assert "(accepted)" in text
    assert "  moved scale factor of y: 1 [0, 0] → 2 [0, 0]" in text
