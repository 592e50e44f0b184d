"""Patterns of URIs: `*`, `?` and `[…]` within a part, and `**` for any number of parts."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

_SPECIAL = re.compile(r"[*?\[]")
_ANY = "**"


@dataclass(frozen=True)
class UriPattern:
    """A pattern in two: the folder that all matches lie in, and a pattern for each part below it."""

    folder: str
    parts: tuple[str, ...]

    @property
    def deepest(self) -> int:
        """How many parts a match has at most; 0 for any number."""
        return 0 if _ANY in self.parts else len(self.parts)

    def fits(self, below: Sequence[str]) -> bool:
        """Whether the parts of a path below the folder match."""
        return _fits(self._patterns, tuple(below))

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str] | None, ...]:
        return tuple(None if part == _ANY else re.compile(fnmatch.translate(part)) for part in self.parts)


def read_pattern(text: str) -> UriPattern:
    """Take a pattern apart; without anything special in it, its last part is the pattern."""
    found = _SPECIAL.search(text)
    at = text.rfind("/", 0, found.start() if found else len(text))
    return UriPattern(text[:at], tuple(text[at + 1 :].split("/")))


def _fits(patterns: Sequence[re.Pattern[str] | None], below: tuple[str, ...]) -> bool:
    """Whether parts match patterns: at every pattern, how many parts may have been taken so far is known."""
    reached = {0}
    for pattern in patterns:
        if pattern is None:
            reached = set(range(min(reached), len(below) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(below) and pattern.match(below[at])}
    return len(below) in reached
