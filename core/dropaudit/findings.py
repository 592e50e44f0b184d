"""The finding codes: stable names and severities of everything an audit can report."""

from __future__ import annotations

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


def gravest_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Sort by severity, then code, then subject."""
    return tuple(sorted(findings, key=lambda finding: (_GRAVITY[finding.severity], finding.code, finding.subject)))


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """FAIL if any ERROR, else INCONCLUSIVE if any test is undecided, else WARN if any WARNING, else PASS."""
    severities = {finding.severity for finding in findings}
    if ERROR in severities:
        return Verdict.FAIL
    if any(finding.code == INCONCLUSIVE_CODE for finding in findings):
        return Verdict.INCONCLUSIVE
    return Verdict.WARN if WARNING in severities else Verdict.PASS
