"""The factor on what each element keeps, where elements have keep probabilities of their own."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from dropaudit.graph.site import Rates
from dropaudit.measure.by_feature.rates import without_repeats
from dropaudit.measure.finding.region_sites import Applied
from dropaudit.measure.finding.region_values import RegionRunner

_SINGLE, _HALF = 1e-5, 4e-3


class Rated(msgspec.Struct, frozen=True):
    """The declarations of a graph about a mask.

    Attributes:
        rate: keep probability of all elements; None where it is not declared, or differs.
        rates: that of each element, where they differ.
        slopes: factor on each element that is kept, likewise; NaN where it is not known.
        share: what was seen to be kept, where nothing is declared, and its error.
    """

    rate: float | None
    rates: Rates | None = None
    slopes: NDArray[np.float64] | None = None
    share: tuple[float, float] | None = None


def rated_by_element(runner: RegionRunner, applied: Applied, rates: Rates | None) -> Rated:
    """Return the declared rate and scale of a mask, where they can be read off the rates of its elements.

    Args:
        runner: the region.
        applied: the mask on data.
        rates: of its elements; None where they are not known.
    """
    if rates is None:
        return Rated(None)
    known = rates.array[np.isfinite(rates.array)]
    if known.size and np.ptp(known) == 0:
        return Rated(float(known[0]))
    slopes = _slopes(runner, applied)
    return Rated(None) if slopes is None else Rated(None, rates, slopes)


def _slopes(runner: RegionRunner, applied: Applied) -> NDArray[np.float64] | None:
    """Return the factor on each element; None where it is not the same in all draws."""
    low = high = np.array(np.nan)
    for number in range(runner.runs):
        found = runner.run(runner.draw(number), (applied.result, applied.source))
        source = found[applied.source] if applied.source in found else runner.value(applied.source)
        after, before = np.broadcast_arrays(found[applied.result], source)
        with np.errstate(all="ignore"):
            ratio = np.where((after != 0) & (before != 0), after.astype(np.float64) / before, np.nan)
        low, high = np.fmin(low, ratio), np.fmax(high, ratio)
    precision = _HALF if after.dtype == np.float16 else _SINGLE
    if np.any(np.abs(high - low) > precision * np.abs(high)):
        return None
    return without_repeats((low + high) / 2, precision)
