"""The finding codes: stable names and severities of everything an audit can report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dropaudit.report import Finding, Severity, Verdict
from dropaudit.shortening import capped


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A row of the table of findings. `severity` is the usual one; a few codes have another in some roles."""

    code: str
    slug: str
    severity: Severity


ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

CATALOGUE = {
    kind.code: kind
    for kind in (
        FindingKind("DA101", "inert-site", ERROR),
        FindingKind("DA102", "removed-by-runtime", WARNING),
        FindingKind("DA103", "active-at-inference", ERROR),
        FindingKind("DA104", "nondeterministic-inference", ERROR),
        FindingKind("DA105", "no-sites", WARNING),
        FindingKind("DA106", "unrecognized-randomness", WARNING),
        FindingKind("DA107", "dead-site", INFO),
        FindingKind("DA201", "rate-mismatch", ERROR),
        FindingKind("DA202", "rate-swapped", ERROR),
        FindingKind("DA203", "stacked-sites", WARNING),
        FindingKind("DA301", "scale-missing", ERROR),
        FindingKind("DA302", "scale-doubled", ERROR),
        FindingKind("DA303", "scale-wrong", ERROR),
        FindingKind("DA304", "classic-scaling", INFO),
        FindingKind("DA305", "mean-shift", ERROR),
        FindingKind("DA401", "frozen-mask", ERROR),
        FindingKind("DA402", "mask-shared-over-batch", WARNING),
        FindingKind("DA403", "mask-shared-over-time", INFO),
        FindingKind("DA404", "identical-masks", WARNING),
        FindingKind("DA405", "runtime-correlated-masks", INFO),
        FindingKind("DA406", "seeded-mask", WARNING),
        FindingKind("DA407", "cell-state-dropped", WARNING),
        FindingKind("DA408", "runtime-differs-from-standard", INFO),
        FindingKind("DA501", "non-finite", ERROR),
        FindingKind("DA502", "deterministic-mode-gap", WARNING),
        FindingKind("DA503", "provider-disagreement", ERROR),
        FindingKind("DA504", "different-weights", ERROR),
        # A test that was undecided at the limit. It has no severity of its own: the verdict INCONCLUSIVE says it.
        FindingKind("DA901", "inconclusive", INFO),
    )
}

INCONCLUSIVE_CODE = "DA901"


def make_finding(
    code: str,
    subject: str,
    *,
    message: str,
    remedy: str,
    severity: Severity | None = None,
    **evidence: Any,
) -> Finding:
    """Make a finding of the catalogue about a site or an output.

    Args:
        code: a key of `CATALOGUE`.
        subject: name of the site or output.
        message: the measured number, the expected one and the interval.
        remedy: what to change, and where.
        severity: only where it differs from the catalogue's.
        **evidence: the numbers behind the message; keys in lowerCamelCase, values that JSON knows, None left out. Of a
            list of more than 50 only those are kept, and `…Count` tells how many there were.
    """
    kind = CATALOGUE[code]
    return Finding(
        code=code,
        slug=kind.slug,
        severity=severity or kind.severity,
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
    if any(finding.code == INCONCLUSIVE_CODE for finding in counted):
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
        if (finding.severity is ERROR if verdict is Verdict.FAIL else finding.code == INCONCLUSIVE_CODE)
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
