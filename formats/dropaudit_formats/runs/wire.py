"""A comparison of the service as the core's types."""

from __future__ import annotations

import msgspec

from dropaudit.changes.found import ChangedFinding, FindingChanges
from dropaudit.changes.members import Kind, MemberChange, Standing, Status, status_of
from dropaudit.changes.movement import Movement, Quantity
from dropaudit.findings import CATALOGUE
from dropaudit.report import Interval, Severity, Verdict
from dropaudit_proto.v1 import audit_pb2 as pb

_NOT_MADE = "NOT_MADE"


def member_changes(comparison: pb.Comparison) -> tuple[MemberChange, ...]:
    """Return what changed of each member of which something did."""
    return tuple(map(_member, comparison.members))


def _member(message: pb.MemberChange) -> MemberChange:
    kind = Kind(pb.MemberChange.Kind.Name(message.kind)) if message.kind else Kind.KEPT
    change = MemberChange(
        member=message.display_name,
        kind=kind,
        status=Status.CHANGED,
        before=None if kind is Kind.ADDED else _before(message),
        after=None if kind is Kind.REMOVED else _after(message),
        findings=_findings(message),
        moved=tuple(_movement(each) for each in message.measures if each.quantity in set(Quantity)),
        renamed=dict(message.renamed),
    )
    # An earlier server does not say what became of a member.
    told = Status(pb.Comparison.Status.Name(message.status)) if message.status else status_of(change)
    return msgspec.structs.replace(change, status=told)


def _before(message: pb.MemberChange) -> Standing:
    verdict = _verdict(message.base_verdict)
    return Standing(
        verdict=verdict,
        reason=None if verdict else _NOT_MADE,
        digests=tuple(message.base_sha256),
        runtime_version=message.base_runtime_version,
    )


def _after(message: pb.MemberChange) -> Standing:
    verdict = _verdict(message.verdict)
    return Standing(
        verdict=verdict,
        reason=None if verdict else _NOT_MADE,
        summary=message.failure,
        digests=tuple(message.sha256),
        runtime_version=message.runtime_version,
    )


def _verdict(value: pb.Report.Verdict) -> Verdict | None:
    return Verdict(pb.Report.Verdict.Name(value)) if value else None


def _findings(message: pb.MemberChange) -> FindingChanges:
    def those(kind: pb.FindingChange.Kind) -> tuple[ChangedFinding, ...]:
        return tuple(_finding(each) for each in message.findings if each.kind == kind)

    return FindingChanges(
        new=those(pb.FindingChange.NEW),
        fixed=those(pb.FindingChange.FIXED),
        persisting=those(pb.FindingChange.PERSISTING),
        returned=those(pb.FindingChange.RETURNED),
        newly_accepted=those(pb.FindingChange.NEWLY_ACCEPTED),
    )


def _finding(message: pb.FindingChange) -> ChangedFinding:
    # A newer server may report a code that this version does not know.
    known = CATALOGUE.get(message.code)
    return ChangedFinding(
        code=message.code,
        slug=known.slug if known else "",
        severity=_severity(message.severity) or Severity.INFO,
        subject=message.subject,
        message=message.message,
        was=_severity(message.base_severity),
        accepted=message.HasField("acceptance"),
    )


def _severity(value: pb.Finding.Severity) -> Severity | None:
    return Severity(pb.Finding.Severity.Name(value)) if value else None


def _movement(message: pb.MeasureChange) -> Movement:
    return Movement(
        quantity=Quantity(message.quantity),
        subject=message.subject,
        before=_interval(message.before),
        after=_interval(message.after),
    )


def _interval(message: pb.Interval) -> Interval:
    return Interval(estimate=message.estimate, lower=message.lower, upper=message.upper)
