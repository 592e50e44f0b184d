"""Claims about the comparison of two arrays."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.stats.agreement import agree


def test_equal_arrays_agree_with_nan_and_infinities_in_their_places() -> None:
    values = np.array([1.0, np.nan, np.inf, -np.inf])
    assert agree(values, values.copy(), 0.0)
    assert agree(values[None], np.stack([values, values]), 1e-4)


@pytest.mark.parametrize(("other", "agrees"), [(1000.09, True), (1000.25, False), (999.91, True), (999.75, False)])
def test_values_may_differ_by_the_precision_of_each_and_of_the_largest(other: float, agrees: bool) -> None:
    assert agree(np.array([1000.0, 1.0]), np.array([other, 1.0]), 1e-4) is agrees


@pytest.mark.parametrize(("small", "agrees"), [(0.09, True), (0.11, False)])
def test_a_small_value_may_differ_by_the_precision_of_the_largest(small: float, agrees: bool) -> None:
    assert agree(np.array([1000.0, 0.0]), np.array([1000.0, small]), 1e-4) is agrees


def test_infinities_do_not_make_everything_agree() -> None:
    assert not agree(np.array([np.inf, 1.0]), np.array([np.inf, 2.0]), 1e-4)
    assert not agree(np.array([np.inf, 1.0]), np.array([-np.inf, 1.0]), 1e-4)
    assert not agree(np.array([np.nan, 1.0]), np.array([0.0, 1.0]), 1e-4)


def test_arrays_without_a_finite_value_are_compared_all_the_same() -> None:
    assert agree(np.array([np.nan]), np.array([[np.nan], [np.nan]]), 1e-4)
    assert not agree(np.array([np.inf]), np.array([[np.inf], [1.0]]), 1e-4)


def test_copies_are_compared_with_one_array() -> None:
    one = np.arange(4.0)
    assert agree(one[None], np.stack([one, one * (1 + 1e-6)]), 1e-4)
    assert not agree(one[None], np.stack([one, one + 1]), 1e-4)


def test_half_precision_is_compared_without_overflow() -> None:
    large = np.array([60000.0, 1.0], np.float16)
    assert agree(large, large.astype(np.float32)[None], 1e-3)
