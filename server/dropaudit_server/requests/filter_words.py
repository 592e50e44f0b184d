"""Splits an AIP-160 filter into words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<sign><=|>=|!=|[<>=:])
      | (?P<mark>[().-])
      | (?P<text>[^\s"'()<>=!:.-][^\s"'()<>=!:.]*)
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)


class BadFilter(ValueError):
    """An invalid filter, with a sentence that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word; `kind` is quoted, sign, mark, text or end. `position` counts characters from 1."""

    kind: str
    text: str
    position: int


def words(source: str) -> Iterator[Word]:
    """Yield the words of a filter and then an end. Raises BadFilter."""
    at = 0
    while True:
        found = _WORD.match(source, at)
        if found is None:
            rest = source[at:].lstrip()
            raise BadFilter(f"{rest[:10]!r} at character {len(source) - len(rest) + 1} cannot be read")
        kind = str(found.lastgroup)
        text = found[kind]
        if kind == "quoted":
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        yield Word(kind, text, found.start(kind) + 1)
        if kind == "end":
            return
        at = found.end()
