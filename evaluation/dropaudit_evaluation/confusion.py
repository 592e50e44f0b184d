"""How often each finding was found, against how often it should have been."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from dropaudit.findings import CATALOGUE
from dropaudit_evaluation.labels import Label
from dropaudit_evaluation.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Confusion:
    """Files by code.

    Attributes:
        found: expected and found.
        missed: expected and not found; of an unmet group of alternatives each counts.
        forbidden: found though it must not be there, or is an error where there must be none.
        other: found, and the label says nothing about it.
    """

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    forbidden: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)

    def add(self, label: Label, outcome: Outcome) -> None:
        """Count one file."""
        expected = label.codes.union(*(group & outcome.codes for group in label.codes_any))
        unmet = [group for group in label.codes_any if not group & outcome.codes]
        forbidden = label.not_codes & outcome.codes
        if label.no_errors:
            forbidden |= outcome.errors
        self.found.update(expected & outcome.codes)
        self.missed.update((expected - outcome.codes).union(*unmet))
        self.forbidden.update(forbidden)
        self.other.update(outcome.codes - expected - forbidden)

    def rows(self) -> list[tuple[str, int, int, int, int]]:
        """Return code, found, missed, forbidden and other for every code that occurs."""
        counted = [
            (code, self.found[code], self.missed[code], self.forbidden[code], self.other[code]) for code in CATALOGUE
        ]
        return [row for row in counted if any(row[1:])]
