"""Intervals of the report, made from the statistics."""

from __future__ import annotations

from dropaudit.report import Interval
from dropaudit.stats.keep_rate import keep_rate_interval
from dropaudit.stats.mean import mean_interval
from dropaudit.stats.moments import RunningMoments


def keep_interval(kept: float, cells: float, alpha: float, expected: float | None = None) -> Interval:
    """Confidence sequence for a keep probability; see `keep_rate_interval`."""
    found = keep_rate_interval(kept, cells, alpha, expected)
    return Interval(estimate=found.estimate, lower=found.lower, upper=found.upper)


def mean_of(moments: RunningMoments, alpha: float) -> Interval:
    """Confidence sequence for the mean of a stream."""
    found = mean_interval(moments.count, moments.mean, moments.sd, alpha)
    return Interval(estimate=found.estimate, lower=found.lower, upper=found.upper)
