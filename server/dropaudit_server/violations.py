"""What is wrong with a request: every violation at once, each with its field's path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from dropaudit.errors import AuditError

K = TypeVar("K")
T = TypeVar("T")


class InvalidRequest(AuditError):
    """A request breaks the contract; `violations` are pairs of a field's path and what is wrong with it."""

    reason = "INVALID_REQUEST"

    def __init__(self, violations: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {wrong}" for path, wrong in violations))
        self.violations = tuple(violations)


@dataclass
class Violations:
    """Collects what is wrong with a request."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, wrong: str) -> None:
        """Note a violation."""
        self.found.append((path, wrong))

    def check(self) -> None:
        """Raise InvalidRequest when there is any."""
        if self.found:
            raise InvalidRequest(self.found)

    def meaning(self, table: Mapping[K, T], number: K, path: str) -> T:
        """Return what an enum's number stands for; of a number that this version does not know note a violation."""
        if number not in table:
            self.add(path, f"{number} stands for nothing in this version; choose another value or upgrade the server")
            return next(iter(table.values()))
        return table[number]
