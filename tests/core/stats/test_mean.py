"""Claims about the confidence sequence for a mean, and the moments it stands on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import lambertw
from scipy.stats import binomtest, kurtosis

from dropaudit.stats.mean import BURN_IN, ENOUGH, may_look, mean_interval, tuning
from dropaudit.stats.moments import RunningMoments


def test_moments_of_chunks_are_the_moments_of_the_whole() -> None:
    values = np.random.default_rng(1).normal(1e6, 3.0, 1000)
    moments = RunningMoments()
    for chunk in np.split(values, [1, 10, 400]):
        moments.add(chunk)
    assert moments.count == 1000
    assert moments.mean == pytest.approx(values.mean(), rel=1e-12)
    assert moments.sd == pytest.approx(values.std(), rel=1e-9)


def moments_of(values: NDArray[np.float64]) -> RunningMoments:
    moments = RunningMoments()
    moments.add(values)
    return moments


def test_the_effective_count_of_chunks_is_the_count_over_the_kurtosis_of_the_whole() -> None:
    values = np.random.default_rng(1).gamma(0.3, size=1000)
    moments = RunningMoments()
    for chunk in np.split(values, [1, 10, 400]):
        moments.add(chunk)
    assert moments.effective_count == pytest.approx(1000 / kurtosis(values, fisher=False), rel=1e-9)


def test_rare_events_count_and_not_the_values_between_them() -> None:
    values = np.zeros(10_000)
    values[:30] = 1.0
    assert moments_of(values).effective_count == pytest.approx(30, rel=0.01)
    assert may_look(moments_of(values))
    assert not may_look(moments_of(values[10:]))


def test_a_constant_stream_is_looked_at_after_patience_only() -> None:
    assert moments_of(np.full(4096, 0.1)).effective_count == 0.0
    assert not may_look(moments_of(np.full(4095, 0.1)))
    assert may_look(moments_of(np.full(4096, 0.1)))


def test_normal_values_may_be_looked_at_soon_after_the_burn_in() -> None:
    values = np.random.default_rng(2).standard_normal(3 * ENOUGH + 40)
    assert not may_look(moments_of(values[: BURN_IN - 1]))
    assert may_look(moments_of(values))


def test_an_empty_chunk_changes_nothing() -> None:
    moments = RunningMoments()
    moments.add(np.array([2.0, 4.0]))
    moments.add(np.array([]))
    assert (moments.count, moments.mean, moments.sd) == (2, 3.0, 1.0)


def test_the_width_is_the_formula_of_the_paper() -> None:
    count, sd, alpha = 500, 0.3, 0.01
    r = tuning(alpha)
    t = count
    expected = sd * math.sqrt(2 * (t * r**2 + 1) / (t**2 * r**2) * math.log(math.sqrt(t * r**2 + 1) / alpha))
    found = mean_interval(count, 1.0, sd, alpha)
    assert found.upper - 1.0 == pytest.approx(expected, rel=1e-12)
    assert 1.0 - found.lower == pytest.approx(expected, rel=1e-12)


def test_the_running_variance_of_proposition_2_5_is_the_same_formula_with_another_r() -> None:
    t, sd, alpha = 700, 0.3, 0.01
    r = tuning(alpha) / sd
    v = sd * sd
    expected = math.sqrt(2 * (t * v * r**2 + 1) / (t**2 * r**2) * math.log(math.sqrt(t * v * r**2 + 1) / alpha))
    assert mean_interval(t, 0.0, sd, alpha).upper == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 0.01, 1e-3, 1e-5])
def test_the_tuning_is_one_step_from_the_exact_optimum(alpha: float) -> None:
    exact = math.sqrt((-lambertw(-(alpha**2) / math.e, k=-1).real - 1) / 1024)
    assert tuning(alpha, 1024) == pytest.approx(exact, rel=0.06)


def test_normal_values_of_known_sd_are_missed_no_more_often_than_alpha_from_the_first_value_on() -> None:
    alpha, streams, length = 0.1, 2000, 2000
    t = np.arange(1, length + 1)
    widths = np.array([mean_interval(int(n), 0.0, 1.0, alpha).upper for n in t])
    means = np.cumsum(np.random.default_rng(5).standard_normal((streams, length)), axis=1) / t
    misses = int((np.abs(means) > widths).any(axis=1).sum())
    assert binomtest(misses, streams, alpha, alternative="greater").pvalue > 1e-3


def test_without_spread_the_mean_is_known() -> None:
    found = mean_interval(64, 0.5, 0.0, 0.01)
    assert (found.lower, found.upper) == (0.5, 0.5)


def test_the_tuning_is_nearly_narrowest_at_the_sample_it_is_tuned_for() -> None:
    def width(r: float, t: int, alpha: float) -> float:
        return math.sqrt(2 * (t * r**2 + 1) / (t**2 * r**2) * math.log(math.sqrt(t * r**2 + 1) / alpha))

    r, t, alpha = tuning(0.01, 1024), 1024, 0.01
    assert width(r, t, alpha) <= 1.005 * min(width(r * factor, t, alpha) for factor in np.linspace(0.2, 5, 400))


@pytest.mark.parametrize("keep_prob", [0.2, 0.5, 0.9])
def test_watched_from_the_burn_in_on_it_misses_no_more_often_than_alpha(keep_prob: float) -> None:
    """Projections of inverted dropout on 50 elements of unequal weight, whose true mean is 1."""
    alpha, streams, length = 0.05, 300, 1500
    rng = np.random.default_rng(3)
    weights = rng.standard_normal(50) ** 2
    weights /= weights.sum()
    looks = np.unique(np.geomspace(BURN_IN, length, 25).astype(int))
    misses = 0
    for _ in range(streams):
        values = (rng.random((length, 50)) < keep_prob) @ weights / keep_prob
        seen = (values[:t] for t in looks)
        intervals = (mean_interval(len(part), float(part.mean()), float(part.std()), alpha) for part in seen)
        misses += any(not found.lower <= 1.0 <= found.upper for found in intervals)
    assert binomtest(misses, streams, alpha, alternative="greater").pvalue > 1e-3
