"""Findings of many audits, each kind told once with all members that it was found in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from dropaudit.report import Severity
from dropaudit_formats.grouping import Group, grouped
from dropaudit_formats.results import Result

_GRAVEST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


class Occurrence(msgspec.Struct, frozen=True):
    """Where something was found: the member, what it is about, and what was measured."""

    member: str
    subjects: tuple[str, ...]
    message: str


@dataclass(slots=True)
class KindOfFinding:
    """A code and severity, open or accepted in the same words; `group` is that of the first member."""

    group: Group
    places: list[Occurrence] = field(default_factory=list)
    members: int = 0
    remedies: dict[str, None] = field(default_factory=dict)

    @property
    def anchor(self) -> str:
        """A name within a page, of what is open."""
        return f"{self.group.code}-{self.group.severity.value}".lower()

    def add(self, member: str, group: Group) -> None:
        """Take in what was found in one more member."""
        self.members += 1
        self.places += [Occurrence(member, tuple(subjects), message) for message, subjects in group.messages]
        self.remedies |= dict.fromkeys(group.remedies)


def kinds_of(results: Iterable[Result]) -> list[KindOfFinding]:
    """Return the kinds of findings, gravest first; of equal ones what most members have."""
    kinds: dict[tuple[str, Severity, str], KindOfFinding] = {}
    for result in results:
        for group in grouped(result.findings):
            key = group.code, group.severity, group.acceptance
            kinds.setdefault(key, KindOfFinding(group)).add(result.name, group)
    return sorted(
        kinds.values(),
        key=lambda kind: (
            bool(kind.group.acceptance),
            _GRAVEST_FIRST.index(kind.group.severity),
            -kind.members,
            kind.group.code,
        ),
    )
