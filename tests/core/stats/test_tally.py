"""Claims about chunks of replicates reduced to counts, extremes, projections and sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dropaudit.stats.ratios import SAMPLE, ratios
from dropaudit.stats.tally import MaskTally, tally_mask, tally_output

RNG = np.random.default_rng(0)


def dropped(before: NDArray[Any], factor: float, keep: float = 0.7) -> NDArray[Any]:
    """Apply a mask as the runtime does: what is dropped becomes zero of the input's sign."""
    mask = RNG.random(before.shape) < keep
    scaled: NDArray[Any] = before * mask.astype(before.dtype) * before.dtype.type(factor)
    return scaled


def agrees_with_ratios(found: MaskTally, before: NDArray[Any], after: NDArray[Any], precision: float) -> bool:
    expected = ratios(before, after)
    same = (found.kept, found.cells) == (expected.kept, expected.cells)
    values = expected.values
    return same and np.allclose([found.lowest, found.highest], [values.min(), values.max()], rtol=precision)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("factor", [1.0, 2.0, 1 / 0.7])
def test_a_plain_mask_is_tallied_as_ratios_are(dtype: str, factor: float) -> None:
    before = RNG.standard_normal((7, 3, 50)).astype(dtype)
    after = dropped(before, factor)
    assert agrees_with_ratios(tally_mask(before, after), before, after, 4 * float(np.finfo(dtype).eps))


def test_one_input_for_all_replicates_is_tallied_as_its_copies_are() -> None:
    one = RNG.standard_normal((1, 3, 50)).astype(np.float32)
    before = np.broadcast_to(one, (7, 3, 50))
    after = dropped(before, 2.0)
    assert agrees_with_ratios(tally_mask(before, after), before, after, 1e-6)


def test_inputs_that_are_zero_tell_nothing() -> None:
    before = np.maximum(RNG.standard_normal((7, 50)), 0).astype(np.float32)
    before[0, 0] = 1e-40
    after = dropped(before, 2.0)
    assert agrees_with_ratios(tally_mask(before, after), before, after, 1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_left_out(value: float) -> None:
    before = RNG.standard_normal((7, 50)).astype(np.float32)
    before[3, 5] = value
    after = dropped(before, 2.0)
    assert agrees_with_ratios(tally_mask(before, after), before, after, 1e-6)


def test_negative_factors_and_outliers_show_in_the_extremes() -> None:
    before = np.ones((4, 50), dtype=np.float32)
    after = dropped(before, 2.0)
    after[1, 1], after[2, 2] = -3.0, 5.0
    found = tally_mask(before, after)
    assert (found.lowest, found.highest) == (-3.0, 5.0)


def test_the_smallest_kept_factor_is_found_among_zeros() -> None:
    before = np.full((4, 50), -2.0, dtype=np.float32)
    after = dropped(before, 1.25)
    after[1, 1] = -0.5
    assert tally_mask(before, after).lowest == 0.25


def test_a_mask_that_keeps_nothing_has_no_factor() -> None:
    before = np.ones((4, 50), dtype=np.float32)
    found = tally_mask(before, np.zeros_like(before))
    assert (found.kept, found.cells, found.first.size) == (0, 200, 0)
    assert found.lowest > found.highest


def output(values: NDArray[np.float32], reference: NDArray[np.float32], *, pictured: int = 1000) -> Any:
    divisor = np.where(reference != 0, reference, np.inf).astype(np.float32)
    return tally_output(values, reference, divisor, (2, reference.size // 2, 1), pictured=pictured)


def test_an_output_is_projected_and_summed() -> None:
    reference = RNG.standard_normal(40).astype(np.float32)
    values = RNG.standard_normal((9, 40)).astype(np.float32)
    found = output(values, reference)
    wide = values.astype(np.float64)
    assert found.projections == pytest.approx(wide @ reference.astype(np.float64), rel=1e-5, abs=1e-5)
    by_step = (wide * reference).sum(axis=0).reshape(2, 20).sum(axis=0)
    assert found.products == pytest.approx(by_step, rel=1e-4, abs=1e-4)
    assert (found.zeros, found.non_finite) == (0, 0)
    assert (found.lowest, found.highest) == pytest.approx(((wide / reference).min(), (wide / reference).max()))


def test_zeros_count_where_the_reference_is_not_zero() -> None:
    reference = np.array([0.0, 1.0, -2.0, 4.0], dtype=np.float32)
    values = np.array([[0, 2, 0, 8], [0, 0, -0.0, -4]], dtype=np.float32)
    found = output(values, reference)
    assert found.zeros == 3
    assert (found.lowest, found.highest) == (-1.0, 2.0)
    assert found.first.tolist() == [2.0, 0.0, 2.0, 0.0, 0.0, -1.0]


def test_the_extremes_of_an_output_that_is_nowhere_positive_leave_zeros_out() -> None:
    reference = np.ones(4, dtype=np.float32)
    found = output(np.array([[-1, 0, -5, -2]], dtype=np.float32), reference)
    assert (found.lowest, found.highest) == (-5.0, -1.0)


def test_a_ratio_beyond_single_precision_stays_finite() -> None:
    reference = np.array([1e-36, 1.0], dtype=np.float32)
    found = output(np.array([[1e30, 1.0]], dtype=np.float32), reference)
    assert found.highest == pytest.approx(1e66, rel=1e-6)


def test_large_values_are_finite_though_their_products_are_not_in_single_precision() -> None:
    reference = np.full(4, 2e30, dtype=np.float32)
    values = np.full((3, 4), 1e30, dtype=np.float32)
    found = output(values, reference)
    assert found.projections == pytest.approx([8e60] * 3, rel=1e-6)
    assert (found.highest, found.non_finite) == (0.5, 0)


def test_an_output_with_a_nan_says_how_many_and_nothing_else() -> None:
    found = output(np.array([[1, np.nan, np.inf, 1], [1, 1, 1, 1]], dtype=np.float32), np.ones(4, dtype=np.float32))
    assert (found.non_finite, found.products.size) == (2, 0)


def test_only_the_first_elements_are_kept_and_only_when_wanted() -> None:
    reference = np.ones(1000, dtype=np.float32)
    values = np.ones((40, 1000), dtype=np.float32)
    assert output(values, reference).first.size == SAMPLE
    assert output(values, reference, pictured=0).first.size == 0


def test_one_input_that_is_kept_as_different_values_is_tallied_element_by_element() -> None:
    one = RNG.standard_normal((1, 100)).astype(np.float32)
    before = np.broadcast_to(one, (7, 100))
    after = dropped(before, 2.0)
    after[3, 5] = 1.5 * one[0, 5]
    assert agrees_with_ratios(tally_mask(before, after), before, after, 1e-6)


def test_one_input_that_is_partly_zero_or_turned_is_tallied_as_ratios_are() -> None:
    one = RNG.standard_normal((1, 100)).astype(np.float32)
    one[0, :9] = 0
    before = np.broadcast_to(one, (7, 100))
    after = dropped(before, 2.0)
    assert agrees_with_ratios(tally_mask(before, after), before, after, 1e-6)
    assert agrees_with_ratios(tally_mask(before, -after), before, -after, 1e-6)


def test_one_input_whose_replicates_hold_what_is_not_finite_is_tallied_as_ratios_are() -> None:
    one = RNG.standard_normal((1, 100)).astype(np.float32)
    before = np.broadcast_to(one, (7, 100))
    after = dropped(before, 2.0)
    after[2, 7], after[4, 8] = np.nan, np.inf
    assert agrees_with_ratios(tally_mask(before, after), before, after, 1e-6)


def test_factors_are_kept_only_when_wanted() -> None:
    one = RNG.standard_normal((1, 100)).astype(np.float32)
    for before in (np.broadcast_to(one, (7, 100)), np.repeat(one, 7, axis=0)):
        after = dropped(before, 2.0)
        assert tally_mask(before, after).first.size == np.count_nonzero(after)
        assert tally_mask(before, after, sampled=False).first.size == 0


def test_only_the_first_replicates_are_pictured_and_all_are_counted() -> None:
    reference = np.ones(4, dtype=np.float32)
    values = np.array([[0, 2, 2, 2], [2, 2, 2, 0], [0, 9, 2, 2]], dtype=np.float32)
    found = output(values, reference, pictured=2)
    assert (found.zeros, found.highest, found.first.size) == (3, 2.0, 8)
