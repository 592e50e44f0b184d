"""Findings: how they are made and ordered, and the verdict that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dropaudit.finding_code import FindingCode
from dropaudit.report import Finding, Severity, Verdict
from dropaudit.shortening import capped

# By its text, for text that may be no code.
CATALOGUE = {code.value: code for code in FindingCode}
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


def make_finding(
    code: FindingCode,
    subject: str,
    *,
    message: str,
    remedy: str,
    severity: Severity | None = None,
    **evidence: Any,
) -> Finding:
    """Make a finding.

    Args:
        code: its code.
        subject: name of what it is about; of several sites the first.
        message: the measured number, the expected one and the interval.
        remedy: what to change, and where.
        severity: only where it differs from the code's usual one.
        **evidence: the numbers behind the message; keys in lowerCamelCase, values that JSON knows, None left out. Of a
            list of more than 50 only those are kept, and `…Count` tells how many there were.
    """
    return Finding(
        code=code.value,
        slug=code.slug,
        severity=severity or code.severity,
        subject=subject,
        message=message,
        remedy=remedy,
        evidence=capped({key: value for key, value in evidence.items() if value is not None}),
    )


_GRAVITY = {ERROR: 0, WARNING: 1, INFO: 2}


def gravest_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by severity, then code, then subject; what is accepted comes last."""

    def order(finding: Finding) -> tuple[bool, int, str, str]:
        return finding.acceptance is not None, _GRAVITY[finding.severity], finding.code, finding.subject

    return tuple(sorted(findings, key=order))


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """FAIL if any ERROR, else INCONCLUSIVE if any test is undecided, else WARN if any WARNING, else PASS.

    Accepted findings do not count.
    """
    counted = open_ones(findings)
    severities = {finding.severity for finding in counted}
    if ERROR in severities:
        return Verdict.FAIL
    if any(finding.code == FindingCode.INCONCLUSIVE for finding in counted):
        return Verdict.INCONCLUSIVE
    return Verdict.WARN if WARNING in severities else Verdict.PASS


def open_ones(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that nobody has accepted."""
    return tuple(finding for finding in findings if finding.acceptance is None)


def gravest_sentence(verdict: Verdict, findings: Iterable[Finding]) -> str:
    """Say what makes the verdict FAIL or INCONCLUSIVE: the first finding that does, and the codes of the others."""
    chosen = [
        finding
        for finding in open_ones(findings)
        if (finding.severity is ERROR if verdict is Verdict.FAIL else finding.code == FindingCode.INCONCLUSIVE)
    ]
    first, *others = chosen
    codes = dict.fromkeys(other.code for other in others)
    more = f", and {', '.join(codes)}" if codes else ""
    return f"{first.subject}: {first.code} ({first.slug}){more}. {first.message} {first.remedy}"


def mind(findings: Iterable[Finding]) -> str:
    """Return how a summary ends: a full stop, or the warnings to mind."""
    warnings = [finding for finding in open_ones(findings) if finding.severity is WARNING]
    codes = ", ".join(dict.fromkeys(f"{finding.code} ({finding.slug})" for finding in warnings))
    return f"; mind {codes}." if codes else "."
