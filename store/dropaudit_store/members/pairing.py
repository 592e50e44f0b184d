"""Pairs by a pattern of their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
PLACE = "{name}"
_ESCAPED = {"[": "[[]", "*": "[*]", "?": "[?]"}


def wildcard(pattern: str) -> str:
    """Return a shell pattern for what a pattern of pairs may name."""
    before, _, after = pattern.partition(PLACE)
    return f"{_literal(before)}*{_literal(after)}"


def _literal(text: str) -> str:
    return "".join(_ESCAPED.get(sign, sign) for sign in text)


def paired(
    train: str, inference: str, trains: Mapping[str, T], inferences: Mapping[str, T]
) -> tuple[list[tuple[T, T]], list[str]]:
    """Return the pairs whose names stand for the same, in the order of names, and the names without a counterpart."""
    first, second = _by_name(train, trains), _by_name(inference, inferences)
    both = sorted(set(first) & set(second))
    alone = sorted(first[name] for name in set(first) - set(second))
    alone += sorted(second[name] for name in set(second) - set(first))
    return [(trains[first[name]], inferences[second[name]]) for name in both], alone


def _by_name(pattern: str, candidates: Mapping[str, T]) -> dict[str, str]:
    """Return the candidates that fit a pattern, by what `{name}` stands for in them."""
    before, _, after = pattern.partition(PLACE)
    fits = re.compile(f"{re.escape(before)}([^/]+){re.escape(after)}").fullmatch
    return {found[1]: each for each in candidates if (found := fits(each))}
