"""Claims about laws that are read off the values of elements over many draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dropaudit.stats.fits import distinct, fit_dropped, fit_factor, is_two_valued

DRAWS, ELEMENTS, KEEP_PROB = 64, 40, 0.7
PRECISION = 2e-5

Floats = NDArray[np.float32]


def data() -> Floats:
    return np.random.default_rng(1).standard_normal((1, ELEMENTS)).astype(np.float32)


def mask(keep_prob: float = KEEP_PROB, seed: int = 0) -> NDArray[np.bool_]:
    return np.asarray(np.random.default_rng(seed).random((DRAWS, ELEMENTS)) < keep_prob)


@pytest.mark.parametrize(
    ("slope", "shift", "fill"), [(1 / 0.7, 0.0, 0.0), (1.0, 0.0, 0.0), (0.88, 0.3, -1.2), (1.0, 0.0, -1e4), (2, 1, 1)]
)
def test_a_mask_is_a_line_on_what_is_kept_and_a_constant_elsewhere(slope: float, shift: float, fill: float) -> None:
    x, kept = data(), mask()
    found = fit_dropped(np.where(kept, slope * x + shift, fill).astype(np.float32), x, PRECISION)
    assert found is not None
    assert found.slope is not None
    assert (found.slope, found.shift, found.fill) == pytest.approx((slope, shift, fill), rel=1e-3, abs=1e-4)
    assert found.kept == pytest.approx(kept.mean(), abs=0.02)


def test_one_over_the_rate_of_each_element_is_a_mask_without_one_slope() -> None:
    x, shares = data(), np.linspace(0.4, 0.9, ELEMENTS)
    kept = np.random.default_rng(3).permuted(np.linspace(0, 1, DRAWS)[:, None] + 0 * shares, axis=0) < shares
    found = fit_dropped(np.where(kept, x / shares, 0), x, PRECISION)
    assert found is not None
    assert found.slope is None
    assert found.kept == pytest.approx(shares.mean(), abs=0.03)


def test_a_gain_for_each_element_behind_a_mask_is_no_law_of_it() -> None:
    x = data()
    assert fit_dropped(np.where(mask(), np.linspace(1.1, 3.0, ELEMENTS) * x, 0), x, PRECISION) is None


@pytest.mark.parametrize("name", ["added noise", "noise times data", "nothing dropped", "everything dropped"])
def test_other_randomness_is_no_mask(name: str) -> None:
    x, rng = data(), np.random.default_rng(2)
    others: dict[str, NDArray[np.floating]] = {
        "added noise": x + rng.standard_normal((DRAWS, ELEMENTS)),
        "noise times data": x * rng.random((DRAWS, ELEMENTS)),
        "nothing dropped": np.repeat(2 * x, DRAWS, axis=0),
        "everything dropped": np.zeros((DRAWS, ELEMENTS)),
    }
    assert fit_dropped(others[name], x, PRECISION) is None


def test_noise_on_what_is_kept_is_no_mask() -> None:
    x = data()
    noise = 1 + 0.01 * np.random.default_rng(3).standard_normal((DRAWS, ELEMENTS))
    assert fit_dropped(np.where(mask(), x * noise, 0), x, PRECISION) is None


def test_padding_that_no_draw_decides_is_no_mask() -> None:
    x = data()
    padded = np.where(np.arange(ELEMENTS) < ELEMENTS // 2, x, 0)
    assert fit_dropped(np.repeat(padded, DRAWS, axis=0), x, PRECISION) is None


def test_zeros_of_the_data_are_neither_kept_nor_dropped() -> None:
    """Behind a ReLU half of the data is zero, whatever the mask does."""
    x, kept = np.maximum(data(), 0), mask()
    found = fit_dropped(np.where(kept, x / KEEP_PROB, 0), x, PRECISION)
    assert found is not None
    assert found.slope == pytest.approx(1 / KEEP_PROB, rel=1e-5)
    assert found.kept == pytest.approx(kept[:, x[0] > 0].mean(), abs=1e-9)


def test_data_of_zeros_tells_nothing() -> None:
    x = np.zeros((1, ELEMENTS))
    assert fit_dropped(np.zeros((DRAWS, ELEMENTS)), x, PRECISION) is None
    assert fit_factor(np.zeros((DRAWS, ELEMENTS)), x, PRECISION) is None


def test_a_tensor_without_elements_tells_nothing() -> None:
    empty = np.zeros((DRAWS, 0))
    assert fit_dropped(empty, empty, PRECISION) is None
    assert fit_factor(empty, empty, PRECISION) is None


def test_a_factor_that_all_elements_share_is_found_and_one_that_they_do_not_is_none() -> None:
    x = data()
    assert fit_factor(1.25 * x, x, PRECISION) == pytest.approx(1.25, rel=1e-6)
    assert fit_factor(np.linspace(1, 2, ELEMENTS) * x, x, PRECISION) is None
    assert fit_factor(0 * x, x, PRECISION) == 0.0


def test_two_values_make_a_mask_and_others_do_not() -> None:
    assert is_two_valued(mask())
    assert is_two_valued(np.where(mask(), 1 / 0.7, 0))
    assert not is_two_valued(np.ones((DRAWS, ELEMENTS)))
    assert not is_two_valued(np.where(mask(), data(), 0))


def test_zeros_of_either_sign_are_one_value() -> None:
    assert distinct(np.array([0.0, -0.0, 1.0])).tolist() == [0.0, 1.0]


def test_a_rare_third_value_is_seen() -> None:
    values = np.tile([0.0, 1.0], 5_000)
    values[7_777] = 2.0
    assert distinct(values).tolist() == [0.0, 1.0, 2.0]


def test_zeros_of_either_sign_are_one_value_wherever_they_lie() -> None:
    many = np.zeros(200, np.float32)
    many[1::2] = -0.0
    assert distinct(many).tolist() == [0.0]
    many[150] = 1.0
    assert distinct(many).tolist() == [0.0, 1.0]
    assert not np.signbit(distinct(many)[0])


def test_at_most_three_values_are_returned_of_any_type() -> None:
    assert distinct(np.arange(100)).tolist() == [0, 1, 2]
    assert distinct(np.array([True, False])).tolist() == [False, True]
    late = np.zeros(200)
    late[100:] = np.arange(100) % 5
    assert distinct(late).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_all_nan_are_one_value_behind_the_others(kind: type[np.floating[Any]]) -> None:
    values = np.full(200, np.nan, kind)
    assert np.isnan(distinct(values)).tolist() == [True]
    values[150] = 2.0
    assert np.isnan(distinct(values)).tolist() == [False, True]


def test_nothing_has_no_value() -> None:
    assert distinct(np.zeros(0)).tolist() == []


def test_a_factor_in_half_precision_is_read_in_double() -> None:
    source = np.full((4, 3), 60000.0, np.float16)
    assert fit_factor(source / np.float16(2), source, 1e-3) == 0.5
    assert fit_factor(np.zeros_like(source), source, 1e-3) == 0.0
    assert fit_factor(source, np.zeros_like(source), 1e-3) is None
