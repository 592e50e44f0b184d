"""A report in which what is accepted is marked, and whose verdict and summary are about the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from dropaudit.acceptance.accepted import AcceptedFinding
from dropaudit.findings import gravest_first, gravest_sentence, mind, verdict_of
from dropaudit.report import Finding, Report, Verdict

_HEALTHY = frozenset({Verdict.PASS, Verdict.WARN})
_NOTHING_ELSE = "Nothing is wrong but what is accepted"


def accept(report: Report, accepted: Sequence[AcceptedFinding], now: datetime, *, member: str = "") -> Report:
    """Return the report with its accepted findings marked; the verdict and the summary are about all others.

    What an earlier call marked is forgotten first: a finding comes back when its acceptance has expired, is no longer
    there, or does not cover its numbers or one of its sites. Nothing but findings, verdict and summary changes.

    Args:
        accepted: of those that cover a finding the first one counts.
        now: the instant, with a time zone, at which they must hold.
        member: which member of a suite, or which file, the report is about.
    """
    raw = tuple(msgspec.structs.replace(finding, acceptance=None) for finding in report.findings)
    marked = [_marked(finding, accepted, now, member) for finding in raw]
    if all(one.acceptance == other.acceptance for one, other in zip(marked, report.findings, strict=True)):
        return report
    findings = gravest_first(marked)
    verdict = verdict_of(findings)
    return msgspec.structs.replace(
        report, verdict=verdict, findings=findings, summary=_summary(verdict, findings, report, verdict_of(raw))
    )


def _marked(finding: Finding, accepted: Iterable[AcceptedFinding], now: datetime, member: str) -> Finding:
    for each in accepted:
        if each.covers(finding, member, now):
            expire_time = each.expire_time and each.expire_time.astimezone(UTC)
            told = msgspec.structs.replace(each.acceptance, expire_time=expire_time)
            return msgspec.structs.replace(finding, acceptance=told)
    return finding


def _summary(verdict: Verdict, findings: tuple[Finding, ...], before: Report, unmarked: Verdict) -> str:
    if verdict not in _HEALTHY:
        return gravest_sentence(verdict, findings) + _named(findings)
    # Where nothing is wrong at all, the audit's own words say why; else they are about what is accepted.
    healthy = _stem(before) if unmarked in _HEALTHY else _NOTHING_ELSE
    return healthy + mind(findings) + _named(findings)


def _stem(report: Report) -> str:
    """Return a healthy summary without what is accepted and what is to be minded."""
    return report.summary.removesuffix(_named(report.findings)).removesuffix(mind(report.findings)).removesuffix(".")


def _named(findings: tuple[Finding, ...]) -> str:
    accepted = [finding for finding in findings if finding.acceptance is not None]
    names = dict.fromkeys(f"{finding.code} ({finding.slug}) of {finding.subject}" for finding in accepted)
    return f" Accepted: {', '.join(names)}." if names else ""
