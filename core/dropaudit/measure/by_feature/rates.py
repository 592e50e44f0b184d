"""The keep probability of each element, where a graph declares more than one."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

# Parts of a draw's range in which edges are sought, and where bands are narrower.
WIDE_PARTS, NARROW_PARTS = 48, 16 * 48
# Halvings of a part that holds an edge, runs in all, and elements for which the narrower parts are looked at.
_HALVINGS, _MOST_RUNS, _MOST_ELEMENTS = 20, 8192, 2**17
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
    flag: Callable[[Numbers], Flags], cells: int, low: float, high: float, cumulative: Callable[[float], float]
) -> Numbers | None:
    """Return the part of a draw's range for which each element is kept; None where too many edges would be sought.

    Edges of elements that are made of different cells are sought at once: each cell has its own number.

    Args:
        flag: which elements are kept, given the number in each cell of the draw; an element is made of one cell.
        cells: of the draw.
        low: where the draw begins.
        high: where it ends.
        cumulative: the draw's probability of lying below a number.

    Raises:
        ExecutionFailed: what makes the flags does not run.
        TooFine: edges lie closer than they are looked for.
    """
    search = _Search(flag, cells, cumulative)
    try:
        try:
            return search.shares(places(low, high, WIDE_PARTS))
        except TooFine:
            if search.elements > _MOST_ELEMENTS:
                raise
            return search.shares(places(low, high, NARROW_PARTS))
    except _TooMany:
        return None


class _Search:
    def __init__(self, flag: Callable[[Numbers], Flags], cells: int, cumulative: Callable[[float], float]) -> None:
        self._flag = flag
        self._cells = cells
        self._cumulative = cumulative
        self._runs = 0
        self.elements = 0

    def shares(self, grid: list[float]) -> Numbers:
        """Add up, for each element, the parts in which it is kept."""
        looked = [self._at_all(number) for number in grid]
        flags = [each.ravel() for each in looked]
        self.elements = flags[0].size
        self._check(grid, flags)
        parts = [np.flatnonzero(flags[i - 1] != flags[i]) for i in range(1, len(grid))]
        owners = self._owners(grid, flags)
        edges = _Edges(
            element=np.concatenate(parts),
            part=np.repeat(np.arange(len(parts)), [each.size for each in parts]),
            before=np.concatenate([flags[i][each] for i, each in enumerate(parts)]),
            cell=np.concatenate([owners[each] for each in parts]),
        )
        total = np.where(flags[-1], 1.0, 0.0)
        while edges.element.size:
            edges = self._sought(edges, np.array(grid), total)
        return np.clip(total, 0.0, 1.0).reshape(looked[0].shape)

    def _check(self, grid: list[float], flags: list[Flags]) -> None:
        """Look inside every other part whose two ends are alike. Raises TooFine."""
        for i in range(2, len(grid), 2):
            even = flags[i] == flags[i - 1]
            check(np.all(self._at_all(between(i, grid[i - 1], grid[i])).ravel()[even] == flags[i][even]))

    def _owners(self, grid: list[float], flags: list[Flags]) -> Places:
        """Return the cell that each element is made of, where it changes over the range, by the bits of its number."""
        owners = np.full(flags[0].shape, -1)
        missing = np.any([each != flags[0] for each in flags], axis=0)
        while missing.any():
            other = max(range(len(flags)), key=lambda i: np.count_nonzero(missing & (flags[i] != flags[0])))
            found = missing & (flags[other] != flags[0])
            numbers = np.arange(self._cells)
            owner = np.zeros(flags[0].shape, np.int64)
            for bit in range((self._cells - 1).bit_length()):
                is_other = self._at(np.where(numbers >> bit & 1, grid[other], grid[0])) == flags[other]
                owner |= is_other.astype(np.int64) << bit
            owners[found] = np.minimum(owner, self._cells - 1)[found]
            missing &= ~found
        return owners

    def _sought(self, edges: _Edges, grid: Numbers, total: Numbers) -> _Edges:
        """Seek one edge of each cell by halving, add what it tells to the total, and return the edges that are left.

        An element that is kept below an edge gains what lies below. Others whose flags change with those of the one
        that is sought have the same edge.
        """
        _, first = np.unique(edges.cell, return_index=True)
        leaders = np.zeros(self._cells, np.int64)
        leaders[edges.cell[first]] = np.arange(first.size)
        leader = leaders[edges.cell]
        alike = (edges.part == edges.part[first][leader]) & (edges.before == edges.before[first][leader])
        low, high = grid[edges.part[first]], grid[edges.part[first] + 1]
        numbers = np.full(self._cells, grid[0])
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            numbers[edges.cell[first]] = middle
            is_below = self._at(numbers)[edges.element] == edges.before
            below = is_below[first]
            alike &= is_below == below[leader]
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        where, back = np.unique((low + high) / 2, return_inverse=True)
        gained = np.array([self._cumulative(float(each)) for each in where])[back][leader]
        total[edges.element[alike]] += np.where(edges.before, gained, -gained)[alike]
        return edges.only(~alike)

    def _at_all(self, number: float) -> Flags:
        self._count()
        return self._flag(np.full(self._cells, number))

    def _at(self, numbers: Numbers) -> Flags:
        self._count()
        return self._flag(numbers).ravel()

    def _count(self) -> None:
        self._runs += 1
        if self._runs > _MOST_RUNS:
            raise _TooMany


class _Edges(msgspec.Struct, frozen=True):
    """Where elements turn from kept to dropped, or back.

    Attributes:
        part: of the range, counted from 0.
        before: whether it is kept below.
        cell: of the draw.
    """

    element: Places
    part: Places
    before: Flags
    cell: Places

    def only(self, chosen: Flags) -> _Edges:
        """Return some of them."""
        return _Edges(self.element[chosen], self.part[chosen], self.before[chosen], self.cell[chosen])


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
