"""Properties of the statistics: what any counts, values and splits must give."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dropaudit.report import Interval
from dropaudit.stats.keep_rate import keep_rate_interval
from dropaudit.stats.mean import may_look, mean_interval
from dropaudit.stats.moments import RunningMoments
from dropaudit.stats.ratios import RunningSpread, median, ratios

COUNTS = st.integers(0, 10**6).flatmap(lambda cells: st.tuples(st.integers(0, cells), st.just(cells)))
ALPHAS = st.floats(1e-9, 0.5)
EXPECTED = st.one_of(st.none(), st.floats(0.01, 0.99))
VALUES = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=60)
Values = NDArray[np.float64]


@given(counts=COUNTS, alpha=ALPHAS, expected=EXPECTED)
def test_the_kept_share_lies_in_its_interval_and_that_in_0_to_1(
    counts: tuple[int, int], alpha: float, expected: float | None
) -> None:
    kept, cells = counts
    found = keep_rate_interval(kept, cells, alpha, expected)
    assert 0 <= found.lower <= found.estimate <= found.upper <= 1
    assert found.estimate == (kept / cells if cells else 0.5)


@given(counts=COUNTS, alpha=ALPHAS, expected=EXPECTED)
def test_keeping_and_dropping_are_mirror_images(counts: tuple[int, int], alpha: float, expected: float | None) -> None:
    kept, cells = counts
    found = keep_rate_interval(kept, cells, alpha, expected)
    mirrored = keep_rate_interval(cells - kept, cells, alpha, None if expected is None else 1 - expected)
    assert mirrored.lower == pytest.approx(1 - found.upper, abs=1e-9)
    assert mirrored.upper == pytest.approx(1 - found.lower, abs=1e-9)


@given(counts=COUNTS, alpha=ALPHAS, smaller=ALPHAS, expected=EXPECTED)
def test_less_risk_gives_a_wider_interval(
    counts: tuple[int, int], alpha: float, smaller: float, expected: float | None
) -> None:
    assume(smaller < alpha)
    narrow = keep_rate_interval(*counts, alpha, expected)
    wide = keep_rate_interval(*counts, smaller, expected)
    assert wide.lower <= narrow.lower
    assert narrow.upper <= wide.upper


@given(share=st.integers(0, 10), tens=st.integers(1, 10**5), times=st.integers(2, 20), alpha=ALPHAS)
def test_more_cells_with_the_same_share_give_a_narrower_interval(
    share: int, tens: int, times: int, alpha: float
) -> None:
    few, many = (keep_rate_interval(share * number, 10 * number, alpha) for number in (tens, tens * times))
    assert many.upper - many.lower <= few.upper - few.lower


@given(values=VALUES, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_moments_do_not_depend_on_how_a_stream_is_cut(values: list[float], cuts: list[int]) -> None:
    whole, merged = RunningMoments(), RunningMoments()
    whole.add(np.array(values))
    for part in np.split(np.array(values), sorted(min(cut, len(values)) for cut in cuts)):
        merged.add(part)
    size = max(map(abs, values))
    assert merged.count == whole.count
    assert merged.mean == pytest.approx(whole.mean, rel=1e-9, abs=1e-9 * size)
    assert merged.sd == pytest.approx(whole.sd, rel=1e-6, abs=1e-6 * size)
    assert merged.sd == pytest.approx(float(np.std(values)), rel=1e-6, abs=1e-6 * size)


@given(values=VALUES)
def test_as_many_values_carry_the_spread_as_there_are_at_most(values: list[float]) -> None:
    moments = RunningMoments()
    moments.add(np.array(values))
    assert 0 <= moments.effective_count <= moments.count * (1 + 1e-9)
    assert not may_look(moments)


@given(
    count=st.integers(1, 10**9),
    mean=st.floats(-1e6, 1e6),
    sd=st.floats(0, 1e6),
    alpha=ALPHAS,
    scale=st.floats(1e-3, 1e3),
)
def test_an_interval_for_a_mean_is_centred_and_scales_with_its_values(
    count: int, mean: float, sd: float, alpha: float, scale: float
) -> None:
    found = mean_interval(count, mean, sd, alpha)
    scaled = mean_interval(count, scale * mean, scale * sd, alpha)
    size = abs(mean) + (found.upper - found.lower)
    assert found.lower <= found.estimate <= found.upper
    assert (found.lower + found.upper) / 2 == pytest.approx(mean, abs=1e-9 * size)
    assert scaled.upper == pytest.approx(scale * found.upper, rel=1e-9, abs=1e-9 * scale * size)
    assert (found.lower == found.upper) == (found.lower == mean)


@given(count=st.integers(1, 10**6), times=st.integers(2, 100), alpha=ALPHAS)
def test_more_values_give_a_narrower_interval_for_a_mean(count: int, times: int, alpha: float) -> None:
    few, many = (mean_interval(number, 0.0, 1.0, alpha) for number in (count, count * times))
    assert many.upper < few.upper


@given(values=VALUES)
def test_the_median_is_that_of_numpy(values: list[float]) -> None:
    assert median(np.array(values)) == np.median(values)


@given(values=st.lists(st.lists(st.floats(-1e6, 1e6), max_size=20), min_size=1, max_size=5))
def test_a_spread_is_that_of_all_values(values: list[list[float]]) -> None:
    flat = [each for part in values for each in part]
    assume(flat)
    spread = RunningSpread()
    for part in values:
        spread.add(np.array(part))
    assert (spread.lowest, spread.median, spread.highest) == (min(flat), float(np.median(flat)), max(flat))


@given(
    before=st.lists(st.floats(0.5, 2, width=32), min_size=1, max_size=40),
    chance=st.randoms(use_true_random=False),
    scale=st.sampled_from([1.0, 1.25, 2.0]),
)
def test_a_mask_is_read_off_as_it_was_laid_on(before: list[float], chance: Any, scale: float) -> None:
    mask = np.array([chance.random() < 0.5 for _ in before])
    given_values = np.array(before, np.float32)
    found = ratios(given_values, np.where(mask, given_values * np.float32(scale), np.float32(-0.0)))
    assert (found.kept, found.cells) == (int(mask.sum()), len(before))
    assert np.allclose(found.values, scale, rtol=1e-6)


@given(a=st.floats(-1e9, 1e9), b=st.floats(-1e9, 1e9), value=st.floats(-1e9, 1e9))
def test_an_interval_excludes_what_lies_outside(a: float, b: float, value: float) -> None:
    lower, upper = sorted((a, b))
    interval = Interval(estimate=(lower + upper) / 2, lower=lower, upper=upper)
    assert interval.excludes(value) == (value < lower or value > upper)
    assert not interval.excludes(lower)
    assert not interval.excludes(upper)
    assert interval.excludes(math.nan)
