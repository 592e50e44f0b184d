"""Claims about element-wise ratios and the names of factors."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.stats.ratios import RunningSpread, ratios, smallest_input
from dropaudit.stats.scale import (
    Factor,
    declared_precision,
    expected_factors,
    factor_precision,
    is_constant,
    name_factor,
    name_factor_in_steps,
    name_factor_within,
)


def test_exact_zeros_are_dropped_and_the_rest_is_compared() -> None:
    before = np.array([1.0, -2.0, 3.0, 4.0], dtype=np.float32)
    after = np.array([2.0, -0.0, 6.0, 0.0], dtype=np.float32)
    found = ratios(before, after)
    assert (found.kept, found.cells) == (2, 4)
    assert found.values.tolist() == [2.0, 2.0]


def test_inputs_that_are_zero_or_not_finite_say_nothing() -> None:
    before = np.array([0.0, np.nan, np.inf, 1e-40, 1.0], dtype=np.float32)
    after = np.array([0.0, np.nan, np.inf, 1e-40, 0.0], dtype=np.float32)
    found = ratios(before, after)
    assert (found.kept, found.cells) == (0, 1)


def test_cells_along_a_shared_axis_count_once() -> None:
    before = np.ones((2, 3, 4))
    mask = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0]])[:, None, :]
    found = ratios(before, before * mask * 2, shared_axes=(1,))
    assert (found.kept, found.cells) == (4, 8)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_smallest_telling_input_keeps_full_precision(dtype: str) -> None:
    x = np.array([smallest_input(np.dtype(dtype)) * 1.01], dtype=dtype)
    assert float((x * x.dtype.type(2))[0] / x[0]) == 2.0
    assert x[0] > np.finfo(dtype).tiny


def test_a_spread_keeps_extremes_of_all_and_the_median_of_the_first() -> None:
    spread = RunningSpread()
    spread.add(np.full(65_536, 2.0))
    spread.add(np.array([1.0, 5.0]))
    assert (spread.lowest, spread.median, spread.highest) == (1.0, 2.0, 5.0)


def test_extremes_stand_for_values_that_nobody_kept() -> None:
    spread = RunningSpread()
    spread.merge(1.0, 3.0, np.empty(0))
    spread.merge(2.0, 9.0, np.empty(0))
    assert (spread.empty, spread.lowest, spread.median, spread.highest) == (False, 1.0, 2.0, 9.0)


def test_an_empty_spread_has_no_median() -> None:
    spread = RunningSpread()
    spread.add(np.array([]))
    assert spread.empty
    with pytest.raises(ValueError, match="no median"):
        _ = spread.median


@pytest.mark.parametrize(
    ("factor", "keep_prob", "name"),
    [
        (1.25, 0.8, Factor.INVERTED),
        (1.0, 0.8, Factor.UNSCALED),
        (1.5625, 0.8, Factor.DOUBLED),
        (5.0, 0.8, Factor.SWAPPED),
        (1.3, 0.8, Factor.OTHER),
        (0.8, 0.8, Factor.OTHER),
        (2.0, 0.5, Factor.INVERTED),
    ],
)
def test_factors_are_named_by_what_explains_them(factor: float, keep_prob: float, name: Factor) -> None:
    assert name_factor(factor, keep_prob, 1e-6) is name


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (1 / 0.803, Factor.INVERTED),
        (1.0, Factor.UNSCALED),
        (0.803**-2, Factor.DOUBLED),
        (1 / 0.203, Factor.SWAPPED),
        (1 / 0.78, Factor.OTHER),
        (1.3, Factor.OTHER),
        (0.8, Factor.OTHER),
        (0.0, Factor.OTHER),
    ],
)
def test_a_factor_is_named_by_what_it_is_at_some_probability_between_bounds(factor: float, name: Factor) -> None:
    assert name_factor_within(factor, 0.79, 0.81) is name


def test_around_one_half_a_factor_of_two_is_the_right_one() -> None:
    assert name_factor_within(2.0, 0.49, 0.51) is Factor.INVERTED


def test_bounds_that_nothing_was_learnt_from_excuse_every_factor_that_may_be_right() -> None:
    assert name_factor_within(3.0, 0.0, 1.0) is Factor.INVERTED


@pytest.mark.parametrize(
    ("factor", "name"),
    [
        (1 / 0.7, Factor.INVERTED),
        (1 / 0.69, Factor.INVERTED),
        (1.0, Factor.UNSCALED),
        (1 / 0.7**2, Factor.DOUBLED),
        (1.05 / 0.7**2, Factor.OTHER),
        (1 / 0.3, Factor.SWAPPED),
        (1.05 / 0.3, Factor.OTHER),
    ],
)
def test_of_a_coarse_draw_the_right_factor_lies_between_the_bounds_and_a_fault_beside_what_is_declared(
    factor: float, name: Factor
) -> None:
    assert name_factor_in_steps(factor, 0.7, 0.68, 0.72) is name


@pytest.mark.parametrize("keep_prob", [0.0, 1.0, -1.0])
def test_a_keep_probability_that_keeps_all_or_nothing_has_no_factors(keep_prob: float) -> None:
    with pytest.raises(ValueError, match="must lie in"):
        expected_factors(keep_prob)


def test_half_precision_is_compared_at_its_own_precision() -> None:
    assert factor_precision(float(np.finfo(np.float32).eps)) == 1e-6
    assert factor_precision(float(np.finfo(np.float16).eps)) == pytest.approx(4 * 2**-10)


def test_a_relative_spread_decides_what_is_constant() -> None:
    assert is_constant(1.9999989, 2.0000001, 1e-5)
    assert not is_constant(1.99, 2.01, 1e-5)


@pytest.mark.parametrize(("keep_prob", "expected"), [(0.5, 1e-4), (0.05, 1e-4)])
def test_a_threshold_in_single_precision_declares_a_rate_to_four_digits(keep_prob: float, expected: float) -> None:
    assert declared_precision(factor_precision(float(np.finfo(np.float32).eps)), keep_prob) == expected


def test_a_threshold_in_half_precision_declares_a_small_rate_less_exactly() -> None:
    half = factor_precision(float(np.finfo(np.float16).eps))
    precisions = [declared_precision(half, q) for q in (0.5, 0.2, 0.07)]
    assert precisions == sorted(precisions)
    assert name_factor(204.09, 0.07019, precisions[-1]) is Factor.DOUBLED
    assert precisions[-1] <= 0.02
    # A draw from -4 to 4 in half precision keeps 0.0712 where 0.07 was meant, and 1 / 0.07 is its scale.
    assert name_factor(14.2841, 0.07122, declared_precision(half, 0.07122)) is Factor.INVERTED
    assert name_factor(14.2841, 0.0680, declared_precision(half, 0.0680)) is Factor.OTHER


@pytest.mark.parametrize(
    ("lowest", "highest", "precision", "constant"),
    [
        (2.0, 2.0, 0.0, True),
        (-2.0, -2.0, 0.0, True),
        (2.0, 2.5, 0.2, True),
        (2.0, 2.5, 0.19, False),
        (-1, 1, 1.9, False),
    ],
)
def test_extremes_are_one_number_up_to_the_precision_itself(
    lowest: float, highest: float, precision: float, constant: bool
) -> None:
    assert is_constant(lowest, highest, precision) is constant
