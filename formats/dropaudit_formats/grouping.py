"""Findings of one kind, told once with all that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dropaudit.findings import CATALOGUE
from dropaudit.report import Finding, Severity
from dropaudit_formats import figures


class Group(msgspec.Struct, frozen=True):
    """Findings of one code and severity, open ones or such that were accepted in the same words.

    Attributes:
        acceptance: why they are accepted, by whom and until when; empty for open findings.
        known: whether this version can explain the code; a newer server's it may not.
        remedies: what to change, each once.
    """

    findings: Sequence[Finding]

    @property
    def code(self) -> str:
        return self.findings[0].code

    @property
    def acceptance(self) -> str:
        return _acceptance(self.findings[0])

    @property
    def slug(self) -> str:
        return self.findings[0].slug

    @property
    def severity(self) -> Severity:
        return self.findings[0].severity

    @property
    def known(self) -> bool:
        return self.code in CATALOGUE

    @property
    def remedies(self) -> list[str]:
        return list(dict.fromkeys(finding.remedy for finding in self.findings))

    @property
    def messages(self) -> list[tuple[str, list[str]]]:
        """Messages, each once, with the subjects that it is about."""
        found: dict[str, list[str]] = {}
        for finding in self.findings:
            subjects = found.setdefault(finding.message, [])
            if finding.subject not in subjects:
                subjects.append(finding.subject)
        return list(found.items())

    @property
    def subjects(self) -> list[str]:
        return list(dict.fromkeys(finding.subject for finding in self.findings))


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Return findings by code, severity and acceptance, in the order in which each kind comes first."""
    kinds: dict[tuple[str, Severity, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.code, finding.severity, _acceptance(finding)), []).append(finding)
    return [Group(findings) for findings in kinds.values()]


def _acceptance(finding: Finding) -> str:
    return figures.acceptance(finding.acceptance) if finding.acceptance else ""
