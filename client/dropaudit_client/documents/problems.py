"""All that is wrong with a document, each with its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from dropaudit.errors import AuditError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong; line and column count from 1, `field` is a path such as `suites.nightly.members[0]`."""

    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidDocument(AuditError):
    """A document cannot be used; `problems` are in the order of its lines."""

    reason = "INVALID_DOCUMENT"

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(f"{name}:{each.line}: {each}" for each in self.problems))

    @property
    def details(self) -> list[dict[str, Any]]:
        """The problems as JSON knows them."""
        return [asdict(problem) for problem in self.problems]
