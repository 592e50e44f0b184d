"""A histogram whose range a few far values do not stretch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dropaudit.report import Histogram

_BINS = 32
# How many times the distance of the quartiles the range may reach beyond them.
_REACH = 4.0
_TAIL = 0.005
_ROOM = 0.04


class Distribution:
    """Counts ratios in bins that the first of them settle; what lies outside is counted as such."""

    def __init__(self) -> None:
        self._edges: NDArray[np.float64] | None = None
        self._counts = np.zeros(_BINS, dtype=np.int64)
        self._below = 0
        self._above = 0

    def add(self, ratios: NDArray[np.floating]) -> None:
        """Take in the next ratios, shape (n,); zeros are what was dropped."""
        values = ratios[np.isfinite(ratios)].astype(np.float64)
        if values.size == 0:
            return
        if self._edges is None:
            self._edges = np.linspace(*robust_limits(values), _BINS + 1)
        first, last = self._edges[0], self._edges[-1]
        self._below += int(np.count_nonzero(values < first))
        self._above += int(np.count_nonzero(values > last))
        inside = values[(values >= first) & (values <= last)]
        bins = np.minimum((inside - first) / (last - first) * _BINS, _BINS - 1).astype(np.int64)
        self._counts += np.bincount(bins, minlength=_BINS)

    @property
    def histogram(self) -> Histogram | None:
        """The counts so far; None where nothing was taken in."""
        if self._edges is None:
            return None
        counts = tuple(map(int, self._counts))
        edges = tuple(float(f"{edge:.7g}") for edge in self._edges)
        return Histogram(edges=edges, counts=counts, below=self._below, above=self._above)


def robust_limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return a range that shows 0, 1 and the bulk of the values that are not zero, with a little room.

    The bulk reaches from the 0.5 to the 99.5 percent quantile, and no further than four times the distance of the
    quartiles beyond them: ratios behind an operator that is not linear have tails like Cauchy's.
    """
    survivors = values[values != 0]
    low, high = 0.0, 1.0
    if survivors.size:
        first, lower, upper, last = _quantiles(survivors, (_TAIL, 0.25, 0.75, 1 - _TAIL))
        reach = _REACH * (upper - lower)
        low, high = min(low, max(first, lower - reach)), max(high, min(last, upper + reach))
    room = _ROOM * (high - low)
    return low - room, high + room


def _quantiles(values: NDArray[np.float64], shares: Sequence[float]) -> list[float]:
    """Return what np.quantile does, which would import numpy.ma, 10 ms, for these few alone."""
    at = np.multiply(shares, len(values) - 1)
    before = at.astype(np.intp)
    behind = np.minimum(before + 1, len(values) - 1)
    ordered = np.partition(values, sorted({*before.tolist(), *behind.tolist()}))
    low, high, part = ordered[before], ordered[behind], at - before
    step = high - low
    return list(np.where(part < 0.5, low + step * part, high - step * (1 - part)).tolist())
