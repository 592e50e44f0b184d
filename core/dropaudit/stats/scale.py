"""Which factor a site applies to what it keeps, and what that factor means."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

ULPS = 4
# A runtime computes 1/q in float32 whatever the tensors are.
FACTOR_PRECISION = 1e-6
# Two sessions, or digits printed at float32, agree no better than this.
RECORDED_PRECISION = 1e-5
# The precision of a rate that a threshold declares, and the coarsest at which factors are still told apart.
_THRESHOLD_PRECISION = 1e-4
_COARSEST = 0.02
_STEPS = 2


class Factor(StrEnum):
    """The known factors on kept elements, by the keep probability q and the drop rate p = 1 - q."""

    INVERTED = "1/q"
    UNSCALED = "1"
    DOUBLED = "1/q^2"
    SWAPPED = "1/p"
    OTHER = "other"


def expected_factors(keep_prob: float) -> dict[Factor, float]:
    """Return the value of each known factor at q in (0, 1), the right one first."""
    if not 0 < keep_prob < 1:
        raise ValueError(f"the keep probability must lie in (0, 1), not {keep_prob}")
    return {
        Factor.INVERTED: 1 / keep_prob,
        Factor.UNSCALED: 1.0,
        Factor.DOUBLED: 1 / keep_prob**2,
        Factor.SWAPPED: 1 / (1 - keep_prob),
    }


def name_factor(factor: float, keep_prob: float, precision: float) -> Factor:
    """Name the first known factor that `factor` equals within the relative `precision`.

    At q = 1/2 inverted and swapped coincide, and INVERTED is the answer: nothing can tell them apart there.
    """
    for name, value in expected_factors(keep_prob).items():
        # An error of q counts twice in its square.
        if math.isclose(factor, value, rel_tol=precision * (2 if name is Factor.DOUBLED else 1)):
            return name
    return Factor.OTHER


def name_factor_within(factor: float, lower: float, upper: float) -> Factor:
    """Name the known factor that `factor` can be at a keep probability between two bounds: the right one, if it can.

    The bounds are those of a measured share: what is not declared is compared with what is seen. Of several others the
    one that asks for a keep probability nearest to the middle is named.
    """
    if math.isclose(factor, 1.0, rel_tol=FACTOR_PRECISION):
        return Factor.UNSCALED
    if factor <= 1:
        return Factor.OTHER
    if lower <= 1 / factor <= upper:
        return Factor.INVERTED
    readings = {Factor.DOUBLED: factor**-0.5, Factor.SWAPPED: 1 - 1 / factor}
    possible = {name: abs(q - (lower + upper) / 2) for name, q in readings.items() if lower <= q <= upper}
    return min(possible, key=lambda name: possible[name], default=Factor.OTHER)


def name_factor_in_steps(factor: float, keep_prob: float, lower: float, upper: float) -> Factor:
    """Name the known factor that `factor` can be where a coarse draw applies a declared q only nearly.

    The right factor may lie anywhere between the bounds of the measured share. A fault is named only where it lies
    beside the declared q as well: a wrong factor is easily the square of something between two bounds.
    """
    possible = name_factor_within(factor, lower, upper)
    if possible is Factor.INVERTED or possible is name_factor(factor, keep_prob, _COARSEST):
        return possible
    return Factor.OTHER


def factor_precision(epsilon: float) -> float:
    """Return the relative precision to compare a factor with, for tensors of machine epsilon `epsilon`."""
    return max(FACTOR_PRECISION, ULPS * epsilon)


def rarest(rates: NDArray[np.float64]) -> float:
    """Return the smallest of keep and drop rates of elements that are neither always nor never kept; 0.5 of none.

    Args:
        rates: q of each element, NaN where it is not known.
    """
    shares = np.minimum(rates, 1 - rates)
    return float(np.min(shares[shares > 0], initial=0.5))


def declared_precision(precision: float, keep_prob: float) -> float:
    """Return the relative precision that a factor can be compared with 1/q at, where a threshold declares q.

    The edges of a draw are found in single precision; in half precision, draw and threshold each move q by a step.

    Args:
        precision: of the factor itself, see `factor_precision`.
        keep_prob: q.
    """
    step = _STEPS * precision / ULPS
    return max(precision, _THRESHOLD_PRECISION, min(step / min(keep_prob, 1 - keep_prob), _COARSEST))


def is_constant(lowest: float, highest: float, precision: float) -> bool:
    """Whether two ratios, such as the extremes of a sample, are one number at the relative `precision`."""
    return abs(highest - lowest) <= precision * max(abs(lowest), abs(highest))
