"""Findings as golden files hold them."""

from __future__ import annotations

from collections.abc import Iterable

from dropaudit.report import Finding


def said(findings: Iterable[Finding]) -> str:
    """Return all of some findings."""
    return "\n".join(
        f"{each.severity} {each.code} {each.slug} {each.subject}\n  {each.message}\n  {each.remedy}\n  {each.evidence}"
        for each in findings
    )
