"""Running measurements of sites, fed chunk by chunk.

Measuring has two halves. `read` looks at replicates where they were drawn, in any thread; what it returns is called
by the owner of the meter, in the order of the chunks, and takes in what was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dropaudit.figures.trajectory import TrajectoryRecorder
from dropaudit.graph.site import Law
from dropaudit.measure.meters.intervals import keep_interval, mean_of
from dropaudit.plan import RATE_MARGIN, TestProgress
from dropaudit.report import Interval
from dropaudit.stats.design_effect import DesignEffect
from dropaudit.stats.mean import may_look
from dropaudit.stats.moments import RunningMoments
from dropaudit.stats.ratios import RunningSpread, mask_cells, ratios
from dropaudit.stats.scale import factor_precision, is_constant
from dropaudit.stats.sequential.tests import Equivalence, Outcome, SequentialTest, Width
from dropaudit.stats.tally import MaskTally, mask_of_counts, tally_mask

Take = Callable[[], None]
# Cells of each replicate that are kept, and all that tell kept from dropped, both of shape (n,).
Shares = tuple[NDArray[np.integer], NDArray[np.integer]]
# A rate that is not tested is known well enough at this width.
_KNOWN_WIDTH = 0.01
# One that the structure of the graph says is confirmed at this width.
_CONFIRMED_WIDTH = 0.05
# (a x + b - b) / x is read to fewer digits than a x / x.
_SHIFTED_PRECISION = 2e-5


class SiteMeter(Protocol):
    """Measures one site; see MaskMeter and NoiseMeter."""

    name: str
    keep_prob: float | None
    cells: int
    elements: int
    scale: RunningSpread
    trajectory: TrajectoryRecorder

    def read(self, before: NDArray[Any], after: NDArray[Any], *, sampled: bool) -> Take:
        """Read replicates of the tensors around the mask, shape (n, …), and return what takes the result in.

        `sampled` says whether single factors are still wanted, for their median.
        """
        ...

    @property
    def interval(self) -> Interval | None:
        """Confidence sequence of the keep probability."""
        ...

    def progress(self) -> TestProgress | None:
        """Return how far the test is; None where there is nothing to test."""
        ...


class MaskMeter:
    """Keep rate and scale of a site that keeps or drops; the scale includes one that lies further away.

    Its test compares the keep rate with `keep_prob`: decided when the confidence sequence lies inside or outside
    keep_prob +- 0.005. Without a declared probability it only has to be known to a hundredth.

    Attributes:
        expected: what the graph's structure says, where no declaration apart from it is tested.
        rival: what it says by another reading, which the interval shall exclude.
        design_effect: how much less its cells say than independent ones; None where each draws for itself.
    """

    def __init__(
        self,
        name: str,
        keep_prob: float | None,
        law: Law,
        shared_axes: tuple[int, ...],
        alpha: float,
        remote_factor: float = 1.0,
        expected: float | None = None,
        rival: float | None = None,
        design_effect: DesignEffect | None = None,
    ) -> None:
        self.name = name
        self.design_effect = design_effect
        self.rival = rival
        self._remote_factor = remote_factor
        self.expected = expected if keep_prob is None else keep_prob
        self.keep_prob = keep_prob
        self.law = law
        self.shared_axes = tuple(axis + 1 for axis in shared_axes)  # the first axis counts replicates
        self._alpha = alpha
        self.kept = 0
        self.cells = 0
        self.elements = 0
        self.scale = RunningSpread()
        self.trajectory = TrajectoryRecorder()
        self.precision = factor_precision(0.0)

    def read(self, before: NDArray[Any], after: NDArray[Any], *, sampled: bool) -> Take:
        """See SiteMeter."""
        law = self.law
        found = tally_mask(before, after, self.shared_axes, shift=law.shift, dropped=law.dropped, sampled=sampled)
        elements = cells_of(after.shape, self.shared_axes)
        exact = factor_precision(float(np.finfo(after.dtype).eps))
        precision = exact if self.law.shift == 0 else max(exact, _SHIFTED_PRECISION)
        shares = None
        if self.design_effect is not None:
            each = mask_cells(before, after, law.dropped)
            shares = shares_of(each.kept, each.informative, self.shared_axes)

        def take() -> None:
            self.elements, self.precision = elements, precision
            self._take(found)
            self._take_shares(shares)

        return take

    @property
    def counts_suffice(self) -> bool:
        """Whether counts from the device are enough: the mask sets dropped elements to zero and shares no cells."""
        return not (self.shared_axes or self.law.shift or self.law.dropped or self.design_effect)

    @property
    def factors(self) -> tuple[float, float]:
        """The smallest and the largest factor of the mask itself so far; infinite, and minus infinity, before any."""
        if self.scale.empty:
            return np.inf, -np.inf
        own = (self.scale.lowest / self._remote_factor, self.scale.highest / self._remote_factor)
        return min(own), max(own)

    def read_counts(self, counts: Mapping[str, NDArray[Any]]) -> Take | None:
        """Read what a device counted; None where the elements themselves must be read."""
        found = mask_of_counts(counts)
        return None if found is None else lambda: self._take(found)

    def glimpse(self, before: NDArray[Any], after: NDArray[Any]) -> Take:
        """Look at the first elements of replicates that are counted elsewhere, shape (n, elements)."""
        found = tally_mask(before, after, sampled=True)
        return lambda: self._look(found)

    def _look(self, found: MaskTally) -> None:
        if np.isfinite(found.lowest):
            beyond = (found.lowest * self._remote_factor, found.highest * self._remote_factor)
            self.scale.merge(min(beyond), max(beyond), found.first * self._remote_factor)

    def _take(self, found: MaskTally) -> None:
        self.kept += found.kept
        self.cells += found.cells
        self._look(found)

    def _take_shares(self, shares: Shares | None) -> None:
        if self.design_effect is not None and shares is not None:
            self.design_effect.add(*shares)

    @property
    def interval(self) -> Interval:
        """See SiteMeter."""
        return keep_interval(self.kept / self._effect, self.independent_cells, self._alpha, self.expected)

    @property
    def independent_cells(self) -> float:
        """As many independent cells would say as much."""
        return self.cells / self._effect

    @property
    def _effect(self) -> float:
        return 1.0 if self.design_effect is None else self.design_effect.value

    @property
    def factor(self) -> float | None:
        """The factor on kept elements where it is one number; None where it varies or nothing was kept."""
        if self.scale.empty or not is_constant(self.scale.lowest, self.scale.highest, self.precision):
            return None
        return self.scale.median

    @property
    def test(self) -> SequentialTest:
        """Whether the keep rate is the declared one, or, where none is declared, known well enough."""
        if self.keep_prob is not None:
            return Equivalence(self.keep_prob, RATE_MARGIN)
        if self.expected is None or self.rival is None:
            return Width(_KNOWN_WIDTH if self.expected is None else _CONFIRMED_WIDTH)
        return Width(min(_CONFIRMED_WIDTH, max(_KNOWN_WIDTH, abs(self.expected - self.rival))))

    def progress(self) -> TestProgress | None:
        """See SiteMeter. Where no data away from zero has come in, nothing is to be waited for."""
        interval = self.interval
        if self.elements and not self.cells:
            return TestProgress(self.name, "keepProb", interval, True)
        return TestProgress(self.name, "keepProb", interval, self.test.outcome(interval) is not Outcome.OPEN)


class ChoiceMeter(MaskMeter):
    """How often a site that takes one of two tensors takes the first: elements equal to it are kept."""

    def read(self, before: NDArray[Any], after: NDArray[Any], *, sampled: bool) -> Take:
        """See SiteMeter. Nothing is scaled."""
        kept, cells = taken_cells(before, after, self.shared_axes)
        elements = cells_of(after.shape, self.shared_axes)
        shares = shares_of(kept, cells)

        def take() -> None:
            self.elements = elements
            self.kept += int(kept.sum())
            self.cells += cells.size
            self._take_shares(shares)

        return take

    @property
    def counts_suffice(self) -> bool:
        """See MaskMeter."""
        return False


def taken_cells(
    before: NDArray[Any], after: NDArray[Any], shared_axes: tuple[int, ...] = ()
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which cells are taken from `before`, up to rounding, and an array of all cells."""
    same = np.isclose(np.broadcast_to(before, after.shape), after, rtol=1e-4, atol=0)
    kept = np.all(same, axis=shared_axes) if shared_axes else same
    return np.asarray(kept), np.ones_like(kept)


def shares_of(kept: NDArray[np.bool_], cells: NDArray[np.bool_], shared_axes: tuple[int, ...] = ()) -> Shares:
    """Count in each replicate, shape (n, …), what is kept and what tells; see `ratios` for shared axes."""
    found = (np.any(each, axis=shared_axes) if shared_axes else each for each in (kept, cells))
    first, second = (each.reshape(len(each), -1).sum(axis=1) for each in found)
    return first, second


class NoiseMeter:
    """Mean and spread of a site that multiplies by a normal draw.

    Its test compares the mean factor with 1: decided when the confidence sequence lies inside or outside
    1 +- tolerance. The keep probability is the q whose p/q is the variance of the factor.
    """

    def __init__(
        self, name: str, keep_prob: float | None, law: Law, shared_axes: tuple[int, ...], tolerance: float, alpha: float
    ) -> None:
        self.name = name
        self.keep_prob = keep_prob
        self.law = law
        self.shared_axes = tuple(axis + 1 for axis in shared_axes)
        self._tolerance = tolerance
        self._alpha = alpha / 2  # for the mean and for the spread
        self.cells = 0
        self.elements = 0
        self.scale = RunningSpread()
        self.trajectory = TrajectoryRecorder()
        self._factors = RunningMoments()
        self._squares = RunningMoments()

    def read(self, before: NDArray[Any], after: NDArray[Any], *, sampled: bool) -> Take:
        """See SiteMeter. All factors are looked at anyway."""
        once = tuple(slice(0, 1) if axis in self.shared_axes else slice(None) for axis in range(after.ndim))
        values = ratios(np.broadcast_to(before, after.shape)[once], after[once]).values
        elements = cells_of(after.shape, self.shared_axes)
        factors, squares = RunningMoments(), RunningMoments()
        factors.add(values)
        squares.add(np.square(values - self.law.slope))

        def take() -> None:
            self.cells += values.size
            self.elements = elements
            self.scale.add(values)
            self._factors.merge(factors)
            self._squares.merge(squares)

        return take

    @property
    def mean(self) -> Interval | None:
        """Confidence sequence of the mean factor; None before 64 cells."""
        return mean_of(self._factors, self._alpha) if may_look(self._factors) else None

    @property
    def interval(self) -> Interval | None:
        """See SiteMeter: q = 1 / (1 + variance)."""
        if not may_look(self._squares):
            return None
        variance = mean_of(self._squares, self._alpha)
        low, mid, high = (1 / (1 + max(0.0, each)) for each in (variance.upper, variance.estimate, variance.lower))
        return Interval(estimate=mid, lower=low, upper=high)

    @property
    def test(self) -> SequentialTest:
        """Whether the mean factor is 1."""
        return Equivalence(1.0, self._tolerance)

    def progress(self) -> TestProgress | None:
        """See SiteMeter."""
        mean = self.mean
        if mean is None:
            return TestProgress(self.name, "scaleFactor", Interval(estimate=0.0, lower=0.0, upper=0.0), False)
        return TestProgress(self.name, "scaleFactor", mean, self.test.outcome(mean) is not Outcome.OPEN)


def cells_of(shape: tuple[int, ...], shared_axes: tuple[int, ...]) -> int:
    """Return how many mask cells one replicate has; the first axis counts replicates."""
    return int(np.prod([size for axis, size in enumerate(shape) if axis > 0 and axis not in shared_axes]))
