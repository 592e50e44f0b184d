"""The reports of a run under the findings that its suite accepts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from dropaudit.acceptance import AcceptedFinding, accept
from dropaudit.report import Finding, Report, Verdict, to_json
from dropaudit.shortening import cut
from dropaudit_store.records import Suite
from dropaudit_store.runs.records import MemberVerdict
from dropaudit_store.shared.byte_limits import NAME_BYTES

_MOST_TOLD = 20


def accepted_of(suite: Suite | None) -> tuple[AcceptedFinding, ...]:
    """Return the findings that a suite accepts; a suite that is gone accepts none."""
    return msgspec.convert(suite.accepted, tuple[AcceptedFinding, ...]) if suite else ()


def judged(report: Report, accepted: Sequence[AcceptedFinding], member: str, now: float) -> Report:
    """Return a member's report in which what is accepted is marked, and whose verdict is about the rest."""
    return accept(report, accepted, datetime.fromtimestamp(now, UTC), member=member)


def verdict_of(report: Report) -> MemberVerdict | None:
    """Return what is kept of a report with accepted findings; None of one without."""
    found = [each for each in report.findings if each.acceptance is not None]
    if not found:
        return None
    return MemberVerdict(verdict=report.verdict.value, accepted=tuple(map(_told, found[:_MOST_TOLD])))


def _told(finding: Finding) -> dict[str, Any]:
    """Return an accepted finding as a FindingChange in its JSON form."""
    return {
        "kind": "PERSISTING",
        "code": finding.code,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": cut(finding.message, NAME_BYTES),
        "acceptance": to_json(finding.acceptance) if finding.acceptance else {},
    }


def as_judged(report: Report, kept: MemberVerdict | None) -> Report:
    """Return a report as a run judged it, from what was kept."""
    if kept is None:
        return report
    known = {(each["code"], each["subject"]): each["acceptance"] for each in kept.accepted}
    findings = tuple(_with_acceptance(each, known.get((each.code, each.subject))) for each in report.findings)
    return msgspec.structs.replace(report, findings=findings, verdict=Verdict(kept.verdict))


def _with_acceptance(finding: Finding, acceptance: dict[str, Any] | None) -> Finding:
    if acceptance is None:
        return finding
    return msgspec.convert({**msgspec.to_builtins(finding), "acceptance": acceptance}, Finding, strict=False)
