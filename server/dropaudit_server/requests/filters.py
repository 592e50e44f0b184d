"""Reads an AIP-160 filter over audits.

expression = sequence {"AND" sequence}      sequence = factor {factor}, which means AND too
factor     = term {"OR" term}               OR binds closer than AND, as in the standard
term       = ["NOT" | "-"] simple           simple = restriction | "(" expression ")"
restriction = field {"." field} sign value  sign = one of = != < <= > >= :
"""

from __future__ import annotations

from collections.abc import Callable

from dropaudit_server.requests.filter_fields import restriction
from dropaudit_server.requests.filter_words import BadFilter, Word, words
from dropaudit_server.requests.violations import Violations
from dropaudit_store.audits.conditions import EVERYTHING, And, Condition, Not, Or

_LONGEST = 4096
_DEEPEST = 20
_MOST_WORDS = 400
_AFTER_SEQUENCE = (("end", ""), ("mark", ")"), ("text", "AND"))


def audit_filter(source: str, violations: Violations) -> Condition:
    """Read a filter; an empty one takes every audit. What is wrong with it is noted for the field `filter`."""
    try:
        return read_filter(source)
    except BadFilter as error:
        violations.add("filter", str(error))
        return EVERYTHING


def read_filter(source: str) -> Condition:
    """Read a filter. Raises BadFilter."""
    if len(source) > _LONGEST:
        raise BadFilter(f"at most {_LONGEST} characters")
    found = list(words(source))
    if len(found) > _MOST_WORDS:
        raise BadFilter(f"at most {_MOST_WORDS} words")
    if len(found) == 1:
        return EVERYTHING
    reader = _Reader(found)
    condition = reader.expression(0)
    reader.expect_end()
    return condition


class _Reader:
    """Reads from the first word to the last."""

    def __init__(self, found: list[Word]) -> None:
        self._words = found
        self._at = 0

    @property
    def _next(self) -> Word:
        return self._words[self._at]

    def _takes(self, kind: str, text: str) -> bool:
        if (self._next.kind, self._next.text) != (kind, text):
            return False
        self._at += 1
        return True

    def expression(self, depth: int) -> Condition:
        """Read an expression."""
        if depth > _DEEPEST:
            raise BadFilter(f"at most {_DEEPEST} parentheses in each other")
        return self._joined(And, lambda: self._sequence(depth), "AND")

    def _sequence(self, depth: int) -> Condition:
        factors = [self._factor(depth)]
        while (self._next.kind, self._next.text) not in _AFTER_SEQUENCE:
            factors.append(self._factor(depth))
        return factors[0] if len(factors) == 1 else And(tuple(factors))

    def _factor(self, depth: int) -> Condition:
        return self._joined(Or, lambda: self._term(depth), "OR")

    def _joined(self, kind: type[And] | type[Or], part: Callable[[], Condition], word: str) -> Condition:
        parts = [part()]
        while self._takes("text", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _term(self, depth: int) -> Condition:
        if self._takes("text", "NOT") or self._takes("mark", "-"):
            return Not(self._simple(depth))
        return self._simple(depth)

    def _simple(self, depth: int) -> Condition:
        if self._takes("mark", "("):
            inner = self.expression(depth + 1)
            if not self._takes("mark", ")"):
                raise self._unexpected("a closing parenthesis")
            return inner
        path = [self._word("a field", ("text",))]
        while self._takes("mark", "."):
            path.append(self._word("a field", ("text", "quoted")))
        return restriction(path, self._word("a comparison, such as =,", ("sign",)), self._value())

    def _value(self) -> str:
        """Read a value. Without quotes it may hold what separates words elsewhere, as models/1 and 2026-11-24 do."""
        value = self._word("a value", ("text", "quoted"))
        while self._words[self._at - 1].kind == "text" and self._takes("mark", "."):
            value += "." + self._word("a value", ("text",))
        return value

    def _word(self, wanted: str, kinds: tuple[str, ...]) -> str:
        if self._next.kind not in kinds:
            raise self._unexpected(wanted)
        self._at += 1
        return self._words[self._at - 1].text

    def expect_end(self) -> None:
        """Raise BadFilter when something is left."""
        if self._next.kind != "end":
            raise self._unexpected("AND, OR or the end")

    def _unexpected(self, wanted: str) -> BadFilter:
        found = "the end" if self._next.kind == "end" else f"{self._next.text!r}"
        return BadFilter(f"{wanted} was expected at character {self._next.position}, not {found}")
