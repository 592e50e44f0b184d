"""Which audits are wanted: conditions over terms and creation times, and the indexes that narrow the search."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Has:
    """The audit has a term."""

    term: str


@dataclass(frozen=True, slots=True)
class Created:
    """The audit was created before, at or after an instant; `sign` is one of < <= > >= = !=."""

    sign: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Not:
    """The audit does not fulfil a condition."""

    part: Condition


@dataclass(frozen=True, slots=True)
class And:
    """The audit fulfils every condition."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """The audit fulfils some condition."""

    parts: tuple[Condition, ...]


Condition = Has | Created | Not | And | Or
EVERYTHING = And(())

SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


def fulfils(condition: Condition, terms: frozenset[str], created: float) -> bool:
    """Whether an audit with these terms, created at this instant in milliseconds, fulfils a condition."""
    match condition:
        case Has(term=term):
            return term in terms
        case Created(sign=sign, milliseconds=instant):
            return SIGNS[sign](created, instant)
        case Not(part=part):
            return not fulfils(part, terms, created)
        case And(parts=parts):
            return all(fulfils(part, terms, created) for part in parts)
        case Or(parts=parts):
            return any(fulfils(part, terms, created) for part in parts)


def cover(condition: Condition, size: Callable[[str], int]) -> frozenset[str] | None:
    """Return terms such that every audit that fulfils the condition has one of them; None when there are none.

    Of several choices it is the one whose indexes hold the fewest audits.
    """
    match condition:
        case Has(term=term):
            return frozenset((term,))
        case And(parts=parts):
            choices = [found for part in parts if (found := cover(part, size)) is not None]
            return min(choices, key=lambda terms: sum(map(size, terms)), default=None)
        case Or(parts=parts):
            every = [cover(part, size) for part in parts]
            known = [found for found in every if found is not None]
            return frozenset().union(*known) if len(known) == len(every) else None
    return None


def between(condition: Condition) -> tuple[float, float]:
    """Return instants in milliseconds, both included, that no audit that fulfils the condition lies outside of."""
    match condition:
        case Created(sign="<" | "<=", milliseconds=instant):
            return 0.0, instant
        case Created(sign=">" | ">=", milliseconds=instant):
            return instant, float("inf")
        case Created(sign="=", milliseconds=instant):
            return instant, instant
        case And(parts=parts) if parts:
            lows, highs = zip(*map(between, parts), strict=True)
            return max(lows), min(highs)
    return 0.0, float("inf")
