"""Violations of the contract: all of a request at once, each with its field's path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from dropaudit.errors import AuditError
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_store.shared.byte_limits import NAME_BYTES

K = TypeVar("K")
T = TypeVar("T")
# Of many violations the sentence tells the first; the details tell as many as fit.
_MOST_TOLD = 10


class Violation(NamedTuple):
    """An invalid field; `reason` is a stable word, where one is known."""

    field: str
    description: str
    reason: str = ""


class InvalidRequest(AuditError):
    """A request breaks the contract; each of the violations names a field's path and what is wrong with it."""

    reason = "INVALID_REQUEST"

    def __init__(self, violations: Sequence[tuple[str, str] | Violation]) -> None:
        self.violations = tuple(Violation(*each) for each in violations)
        more = len(self.violations) - _MOST_TOLD
        told = [f"{each.field}: {each.description}" for each in self.violations[:_MOST_TOLD]]
        super().__init__("; ".join([*told, f"and {more} more"] if more > 0 else told))


@dataclass
class Violations:
    """Collects what is wrong with a request, by the contract and by an operator's rules."""

    rules: Rules = field(default_factory=Rules)
    found: list[Violation] = field(default_factory=list)

    def add(self, path: str, wrong: str, reason: str = "") -> None:
        """Note a violation."""
        self.found.append(Violation(path, wrong, reason))

    def short(self, text: str, path: str, most: int = NAME_BYTES) -> str:
        """Return a name, or note that it takes more bytes than names may."""
        if len(text.encode()) > most:
            self.add(path, f"at most {most} bytes")
        return text

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
