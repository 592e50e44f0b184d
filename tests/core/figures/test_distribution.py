"""Claims about histograms that a few far values do not stretch."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.figures.distribution import Distribution, robust_limits
from dropaudit.report import Histogram


def histogram_of(*parts: np.ndarray) -> Histogram:
    found = Distribution()
    for part in parts:
        found.add(part)
    assert found.histogram is not None
    return found.histogram


def test_ratios_with_tails_like_cauchys_are_shown_where_most_of_them_lie() -> None:
    ratios = np.random.default_rng(0).standard_cauchy(20_000) + 1
    found = histogram_of(ratios)
    assert -15 < found.edges[0] < -5
    assert 5 < found.edges[-1] < 15
    assert found.below + found.above + sum(found.counts) == ratios.size
    assert 0 < found.below + found.above < 0.2 * ratios.size


def test_of_plain_dropout_two_bins_hold_all_and_nothing_lies_outside() -> None:
    found = histogram_of(np.repeat([0.0, 1.25], [20, 80]))
    assert sorted(found.counts)[-2:] == [20, 80]
    assert (sum(found.counts), found.below, found.above) == (100, 0, 0)
    at = [left for left, count in zip(found.edges, found.counts, strict=False) if count]
    assert at == pytest.approx([0.0, 1.25], abs=0.1)


@pytest.mark.parametrize("factor", [-3.0, 0.25, 1.0, 40.0])
def test_zero_one_and_the_survivors_are_always_within_the_range(factor: float) -> None:
    found = histogram_of(np.array([0.0, factor]))
    assert found.edges[0] < min(0.0, factor)
    assert found.edges[-1] > max(1.0, factor)


def test_the_first_ratios_settle_the_range_and_later_ones_are_counted_outside() -> None:
    found = histogram_of(np.array([0.0, 2.0]), np.array([-9.0, 9.0, 9.0]))
    assert (found.below, found.above, sum(found.counts)) == (1, 2, 2)


def test_of_nothing_and_of_what_is_not_finite_there_is_no_histogram() -> None:
    found = Distribution()
    found.add(np.array([]))
    found.add(np.array([np.nan, np.inf]))
    assert found.histogram is None


@pytest.mark.parametrize("count", [1, 2, 3, 10, 399])
def test_the_bulk_lies_between_the_quantiles_that_numpy_finds(count: int) -> None:
    values = np.random.default_rng(count).normal(50, 10, count)
    last, upper, lower = np.quantile(values, (0.995, 0.75, 0.25))
    high = min(last, upper + 4 * (upper - lower))
    assert robust_limits(values) == (-0.04 * high, high + 0.04 * high)
