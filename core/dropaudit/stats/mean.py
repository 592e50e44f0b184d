"""Confidence sequence for a mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

BURN_IN = 64
_EXPECTED_SAMPLE = 1024


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """Means that the sample does not refute."""

    estimate: float
    lower: float
    upper: float


def tuning(alpha: float, expected_sample: int = _EXPECTED_SAMPLE) -> float:
    """Return the r for which the sequence is nearly narrowest after `expected_sample` values.

    r = sqrt((-2 log alpha + log(1 - 2 log alpha)) / t): Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas,
    "Time-uniform central limit theory and asymptotic confidence sequences", 2021, appendix on the choice of rho.
    """
    tail = -2 * math.log(alpha)
    return math.sqrt((tail + math.log(tail + 1)) / expected_sample)


def mean_interval(count: int, mean: float, sd: float, alpha: float) -> MeanInterval:
    """Asymptotic confidence sequence for a mean (theorem 2.2 of the paper that `tuning` names).

        mean +- sd * sqrt( 2 (t r^2 + 1) / (t^2 r^2) * log( sqrt(t r^2 + 1) / alpha ) )

    The values are standardized by their running sd, so r is a pure number. It is asymptotic: look first after
    `BURN_IN` values.

    Args:
        count: t, values so far, at least 1.
        mean: their mean.
        sd: their standard deviation, not negative.
        alpha: asymptotic chance that the true mean is ever outside, in (0, 1).

    Raises:
        ValueError: no values, a negative sd, or alpha outside (0, 1).
    """
    if count < 1 or sd < 0 or not 0 < alpha < 1:
        raise ValueError(f"need count >= 1, sd >= 0 and 0 < alpha < 1, got {count}, {sd}, {alpha}")
    r_squared = tuning(alpha) ** 2
    growth = count * r_squared + 1
    width = sd * math.sqrt(2 * growth / (count * count * r_squared) * math.log(math.sqrt(growth) / alpha))
    return MeanInterval(estimate=mean, lower=mean - width, upper=mean + width)
