"""The keep probability of each element, where a graph declares more than one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]

# Parts of a draw's range in which edges are sought, halvings of a part that holds one, and runs in all.
_PARTS, _HALVINGS, _MOST_RUNS = 48, 20, 4096
_SAME_RATE = 1e-6
# How near to an end of a range it is looked, of its width: single precision tells that from the end.
_END = 1e-6


# Between two numbers, so that no multiple of a draw is met again and again at one remainder.
_GOLDEN = (math.sqrt(5) - 1) / 2


class TooFine(Exception):
    """What is kept changes more often over a draw's range than can be looked for."""


class _TooMany(Exception):
    """The edges of the elements lie at more places than can be looked for."""


def places(low: float, high: float, parts: int) -> list[float]:
    """Return where in a range it is looked: in the middle of each part, and next to both ends, where a band may end."""
    inside = [low + (high - low) * (i + 0.5) / parts for i in range(parts)]
    return [low + _END * (high - low), *inside, high - _END * (high - low)]


def between(number: int, low: float, high: float) -> float:
    """Return a place in the part of a range that has this number."""
    return low + (high - low) * (number * _GOLDEN % 1)


def check(is_even: bool | np.bool_) -> None:
    """Make sure that nothing changes in a part whose two ends are alike. Raises TooFine."""
    if not is_even:
        raise TooFine


def shares_by_element(
    flag: Callable[[float], Flags], low: float, high: float, cumulative: Callable[[float], float]
) -> Numbers | None:
    """Return the part of a draw's range for which each element is kept; None where too many edges would be sought.

    Args:
        flag: which elements are kept when all cells of the draw are one number.
        low: where the draw begins.
        high: where it ends.
        cumulative: the draw's probability of lying below a number.

    Raises:
        ExecutionFailed: what makes the flags does not run.
        TooFine: edges lie closer than they are looked for.
    """
    try:
        return _Search(flag, cumulative).shares(low, high)
    except _TooMany:
        return None


class _Search:
    def __init__(self, flag: Callable[[float], Flags], cumulative: Callable[[float], float]) -> None:
        self._flag = flag
        self._cumulative = cumulative
        self._runs = 0

    def shares(self, low: float, high: float) -> Numbers:
        """Add up, for each element, the parts in which it is kept."""
        grid = places(low, high, _PARTS)
        flags = [self._at(number) for number in grid]
        total = np.where(flags[-1], 1.0, 0.0)
        for i in range(1, len(grid)):
            total += self._edges(grid[i - 1], grid[i], flags[i - 1], flags[i], _HALVINGS)
            if i % 2 == 0:
                even = flags[i] == flags[i - 1]
                check(np.all(self._at(between(i, grid[i - 1], grid[i]))[even] == flags[i][even]))
        return np.clip(total, 0.0, 1.0)

    def _edges(self, low: float, high: float, before: Flags, after: Flags, halvings: int) -> Numbers:
        """Return what the edges between two numbers add: an element that is kept below one gains what lies below."""
        turns = before != after
        if not turns.any():
            return np.zeros(before.shape)
        middle = (low + high) / 2
        if halvings == 0:
            return np.where(turns, np.where(before, 1.0, -1.0) * self._cumulative(middle), 0.0)
        between = self._at(middle)
        first = self._edges(low, middle, before, between, halvings - 1)
        return first + self._edges(middle, high, between, after, halvings - 1)

    def _at(self, number: float) -> Flags:
        self._runs += 1
        if self._runs > _MOST_RUNS:
            raise _TooMany
        return self._flag(number)


def without_repeats(values: Numbers, precision: float = _SAME_RATE) -> Numbers:
    """Shorten to length 1 the axes along which all numbers are alike; NaN stands for a number that is not known."""
    for axis in range(values.ndim):
        known = np.isfinite(values)
        low = np.where(known, values, np.inf).min(axis=axis, keepdims=True)
        high = np.where(known, values, -np.inf).max(axis=axis, keepdims=True)
        unknown = ~known.any(axis=axis, keepdims=True)
        if np.all(unknown | (high <= low + precision * np.abs(high))):
            values = np.where(unknown, np.nan, high)
    return values
