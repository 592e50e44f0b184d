"""Confidence sequence for a mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dropaudit.stats.moments import RunningMoments

BURN_IN = 64
# Values over kurtosis from which on the standard deviation can be trusted; simulated in benchmarks/calibration.md.
ENOUGH = 24
# A stream that has not varied for so long is taken for a constant.
_PATIENCE = 4096
_EXPECTED_SAMPLE = 1024


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """Means that the sample does not refute."""

    estimate: float
    lower: float
    upper: float


def may_look(moments: RunningMoments) -> bool:
    """Whether a stream is long enough for `mean_interval` to mean something.

    64 values are, unless their spread comes from rare events: with keep probability .98 and one element, a quarter of
    all streams of 64 values have not varied at all, and their interval is a wrong point. The rule counts values by
    what they add to the spread. A stream that stays constant may be looked at after 4,096 values.
    """
    if moments.count < BURN_IN:
        return False
    return moments.effective_count >= ENOUGH or (moments.is_constant and moments.count >= _PATIENCE)


def tuning(alpha: float, expected_sample: int = _EXPECTED_SAMPLE) -> float:
    """Return the r for which the sequence is nearly narrowest after `expected_sample` values.

        r = sqrt((-2 log alpha + log(1 - 2 log alpha)) / t)

    With x = t r^2 + 1 the squared width is proportional to x / (x - 1) log(x / alpha^2); its derivative vanishes where
    x - 1 = log x - 2 log alpha, which is x = -W(-alpha^2 / e) on the lower branch of Lambert's function. The formula is
    one step of that iteration from x = 1 - 2 log alpha, as in the paper that `mean_interval` names.
    """
    tail = -2 * math.log(alpha)
    return math.sqrt((tail + math.log(tail + 1)) / expected_sample)


def mean_interval(count: int, mean: float, sd: float, alpha: float) -> MeanInterval:
    """Asymptotic confidence sequence for the mean of independent values of one law with a finite variance.

        mean +- sd * sqrt( 2 (t r^2 + 1) / (t^2 r^2) * log( sqrt(t r^2 + 1) / alpha ) )

    Theorem 2.2 of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic
    confidence sequences", 2021. Their proposition 2.5, for values that are neither independent nor of one law, has the
    running variance v inside instead of the factor sd,

        mean +- sqrt( 2 (t v r^2 + 1) / (t^2 r^2) * log( sqrt(t v r^2 + 1) / alpha ) )

    which is this formula with r sqrt(v) for r. Here values are standardized first, so r is a pure number.

    What holds: for normal values of known sd the sequence is Robbins's normal mixture, and by Ville's inequality it
    misses the mean at any t with probability at most alpha, both sides together. With the running sd it approaches that
    sequence faster than it narrows, and nothing is promised at a given t: watched from t0 on, its misses tend to at
    most alpha as t0 grows. How large t0 must be depends on the law; see `may_look`, and benchmarks/calibration.md for
    the misses under masks.

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
