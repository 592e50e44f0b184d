"""DA501: values that are NaN or infinite."""

from __future__ import annotations

from dropaudit.finding_code import FindingCode
from dropaudit.findings import make_finding
from dropaudit.report import Finding


def non_finite(name: str, mode: str, count: int) -> Finding:
    """DA501 about one output."""
    values = f"{count} values of the {mode} output are" if count > 1 else f"1 value of the {mode} output is"
    return make_finding(
        FindingCode.NON_FINITE,
        name,
        message=f"{values} NaN or infinite; all should be finite.",
        remedy="Find the first layer whose output is not finite; 0 * infinity under a mask is a usual cause.",
        mode=mode,
        nonFinite=count,
    )
