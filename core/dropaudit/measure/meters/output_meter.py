"""Running measurement of an output, fed chunk by chunk."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropaudit.figures.distribution import Distribution
from dropaudit.figures.excerpt import corner, excerpt_of
from dropaudit.figures.trajectory import TrajectoryRecorder
from dropaudit.measure.meters.intervals import mean_of
from dropaudit.measure.meters.site_meters import Take
from dropaudit.plan import TestProgress
from dropaudit.report import Excerpt, Histogram, Interval, Spread
from dropaudit.stats.mean import may_look
from dropaudit.stats.moments import RunningMoments
from dropaudit.stats.products import norm_squared
from dropaudit.stats.ratios import RunningSpread, smallest_input
from dropaudit.stats.sequential.tests import Equivalence, Outcome, SequentialTest
from dropaudit.stats.tally import OutputTally, output_of_counts, tally_output

# Elements whose ratios are looked at one by one.
_PICTURED = 2**18
# An output this many times its reference has a reference of rounding errors.
_BESIDE_ROUNDING = 1e3


class OutputMeter:
    """Scale factor of one output: the mean of s_t = <y_t, y_ref> / <y_ref, y_ref> over replicates.

    Its test is decided when the confidence sequence lies inside or outside 1 +- tolerance.

    Attributes:
        weights: y_ref over its largest magnitude, so that products do not leave single precision; shape (elements,).
        weight_limit: magnitude of a weight up to which y_ref is too near zero for a ratio.
        fold: extents before, of and after the time axis.
    """

    def __init__(
        self, name: str, reference: NDArray[Any], tolerance: float, alpha: float, time_axis: int | None = None
    ) -> None:
        self.name = name
        self._time_axis = time_axis
        self.shape = reference.shape
        # Single precision is enough for a mean of projections, and four times as fast; half precision is not.
        precision: type[np.floating] = np.float64 if reference.dtype == np.float64 else np.float32
        self._reference: NDArray[np.floating] = reference.astype(precision, copy=False).ravel()
        magnitude = _magnitude(self._reference)
        self.weights: NDArray[np.floating] = self._reference / precision(magnitude)
        with np.errstate(over="ignore", invalid="ignore"):  # of a reference that is not finite it tells nothing
            # <y_ref, weights>, by weights alone: products of large numbers leave single precision.
            self._norm = magnitude * norm_squared(self.weights)
        self._limit = smallest_input(reference.dtype)
        self.weight_limit = self._limit / magnitude
        self._tolerance = tolerance
        self._alpha = alpha
        self._moments = RunningMoments()
        self._ratios = RunningSpread()
        self._zeros = 0
        self._seen = 0
        self.fold = _fold(reference.shape, time_axis)
        self._products = np.zeros(self.fold[1])
        self.non_finite = 0
        # Of an output without reference: whether anything but zero was seen at all.
        self.moves = False
        self.trajectory = TrajectoryRecorder()
        self._distribution = Distribution()
        self._first: NDArray[Any] | None = None

    @cached_property
    def divisor(self) -> NDArray[np.floating]:
        """y_ref, infinite where it is too near zero for a ratio."""
        return self._divisor(slice(None))

    def _divisor(self, part: slice) -> NDArray[np.floating]:
        own = self._reference[part]
        return np.where(np.abs(own) > self._limit, own, own.dtype.type(np.inf))

    @property
    def unpictured(self) -> int:
        """Replicates whose single elements are still to be looked at."""
        return -(-max(0, _PICTURED - self._seen) // max(1, self._reference.size))

    def read(self, values: NDArray[Any], *, pictured: int) -> Take:
        """Read replicates of the output, shape (n, …), and return what takes the result in.

        `pictured` says of how many of them single elements are looked at.
        """
        if self._norm == 0 and not self.moves:
            self.moves = bool(np.any(values))
        found = tally_output(values.reshape(len(values), -1), self.weights, self.divisor, self.fold, pictured=pictured)
        first = corner(values[0]).copy() if pictured and len(values) else None

        def take() -> None:
            self._first = first if self._first is None else self._first
            self._take(found)

        return take

    def read_counts(self, counts: Mapping[str, NDArray[Any]]) -> Take | None:
        """Read what a device counted; None where the elements themselves must be read."""
        found = output_of_counts(counts)
        return None if found is None else lambda: self._take(found)

    def glimpse(self, values: NDArray[Any]) -> Take:
        """Look at the first elements of replicates that are counted elsewhere, shape (n, elements)."""
        part = slice(values.shape[1])
        fold = (1, 1, values.shape[1])
        found = tally_output(values, self.weights[part], self._divisor(part), fold, pictured=len(values))
        return lambda: self._look(found)

    def _look(self, found: OutputTally) -> None:
        self._distribution.add(found.first[: self._ratios.room])
        if np.isfinite(found.lowest):
            self._ratios.merge(found.lowest, found.highest, found.first[found.first != 0])

    def _take(self, found: OutputTally) -> None:
        self.non_finite += found.non_finite
        if self.non_finite or not found.products.size:  # of a reference that is not finite there are no products
            return
        if self._norm > 0:
            self._moments.add(found.projections / self._norm)
        self._seen += len(found.projections) * self._reference.size
        self._products += found.products
        self._zeros += found.zeros
        self._look(found)

    @property
    def has_seen(self) -> bool:
        """Whether any replicate came in."""
        return self._seen > 0 or self.non_finite > 0

    @property
    def interval(self) -> Interval | None:
        """Confidence sequence of the scale factor; None before 64 replicates, and for an output without reference."""
        return mean_of(self._moments, self._alpha) if may_look(self._moments) and self.has_reference else None

    @property
    def has_reference(self) -> bool:
        """Whether the inference output is above zero, and above what rounding leaves beside the train mode's size."""
        largest = max(abs(self._moments.mean), self._moments.sd)
        return self._norm > 0 and not largest > _BESIDE_ROUNDING

    @property
    def spread(self) -> float:
        """Standard deviation of the scale factor over replicates."""
        return self._moments.sd

    @property
    def time_profile(self) -> tuple[float, ...]:
        """Scale factor at each time step: <mean y, y_ref> / <y_ref, y_ref>; 1 where the reference is zero."""
        if self._time_axis is None or not self._seen:
            return ()
        rows = (self.fold[0] * self.fold[1], self.fold[2])
        products = np.vecdot(self._reference.reshape(rows), self.weights.reshape(rows))
        norms = products.reshape(self.fold[:2]).sum(axis=0, dtype=np.float64)
        products = self._products / (self._seen / self._reference.size)
        return tuple(float(p / n) if n > 0 else 1.0 for p, n in zip(products, norms, strict=True))

    @property
    def test(self) -> SequentialTest:
        """Whether the scale factor is 1."""
        return Equivalence(1.0, self._tolerance)

    def progress(self) -> TestProgress:
        """Return how far the test is; an output that is all zero or not finite has nothing to decide."""
        interval = self.interval
        if interval is None:
            hopeless = not self.has_reference or self.non_finite > 0
            return TestProgress(self.name, "scaleFactor", Interval(estimate=0.0, lower=0.0, upper=0.0), hopeless)
        return TestProgress(self.name, "scaleFactor", interval, self.test.outcome(interval) is not Outcome.OPEN)

    @property
    def zero_fraction(self) -> float:
        """Share of elements that are zero here and not in the reference."""
        return self._zeros / self._seen if self._seen else 0.0

    @property
    def survivor_ratio(self) -> Spread | None:
        """Extremes and median of y_t / y_ref over elements that are not zero."""
        found = self._ratios
        return None if found.empty else Spread(min=found.lowest, median=found.median, max=found.highest)

    @property
    def histogram(self) -> Histogram | None:
        """Distribution of y_t / y_ref over the first elements."""
        return self._distribution.histogram

    @property
    def excerpt(self) -> Excerpt | None:
        """A few elements of the reference and of the first replicate."""
        if self._first is None:
            return None
        return excerpt_of(corner(self._reference.reshape(self.shape)), self._first)


def _magnitude(values: NDArray[np.floating]) -> float:
    """Return the largest magnitude; 1 where there is none, or it is not finite."""
    found = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    return found if 0 < found < math.inf else 1.0


def _fold(shape: tuple[int, ...], axis: int | None) -> tuple[int, int, int]:
    """Return the extents before, of and after an axis; without one, everything lies after."""
    if axis is None:
        return 1, 1, math.prod(shape)
    return math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
