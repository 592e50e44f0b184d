"""Claims about tallies: of what a device counted, of columns, of half precision, and of what is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dropaudit.stats.tally import computed, mask_of_counts, output_of_counts, tally_mask, tally_output

COUNTS = {"kept": [3, 2], "cells": [4, 5], "strange": [0, 0], "lowest": [1.5, 2.0], "highest": [2.0, 2.5]}


def counts(**changed: list[float]) -> dict[str, NDArray[Any]]:
    return {name: np.array(value) for name, value in {**COUNTS, **changed}.items()}


def test_a_mask_of_counts_adds_up_and_has_the_extremes_of_all_replicates() -> None:
    found = mask_of_counts(counts())
    assert found is not None
    assert (found.kept, found.cells, found.lowest, found.highest) == (5, 9, 1.5, 2.5)
    assert found.first.shape == (0,)


@pytest.mark.parametrize("strange", [[1, 0], [0, 1], [2, 3]])
def test_a_mask_with_something_strange_tells_nothing(strange: list[float]) -> None:
    assert mask_of_counts(counts(strange=strange)) is None


def test_an_output_of_counts_has_every_projection_and_no_extremes() -> None:
    given = {"projections": [1.0, 2.0], "products": [3.0, 4.0, 5.0], "zeros": [1, 2]}
    found = output_of_counts({name: np.array(value, np.float32) for name, value in given.items()})
    assert found is not None
    assert found.projections.tolist() == [1.0, 2.0]
    assert found.products.tolist() == [3.0, 4.0, 5.0]
    assert found.projections.dtype == found.products.dtype == np.float64
    assert (found.zeros, found.non_finite, found.lowest, found.highest) == (3, 0, np.inf, -np.inf)
    assert found.first.shape == (0,)


@pytest.mark.parametrize("name", ["projections", "products"])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_an_output_that_is_not_finite_tells_nothing(name: str, value: float) -> None:
    given = {"projections": np.ones(2), "products": np.ones(2), "zeros": np.zeros(2)}
    assert output_of_counts({**given, name: np.array([1.0, value])}) is None


def test_half_precision_is_computed_in_single_and_others_as_they_are() -> None:
    types = {np.float16: np.float32, np.float32: np.float32, np.float64: np.float64}
    for given, wanted in types.items():
        assert computed(np.ones(2, given)).dtype == wanted


@pytest.mark.parametrize("columns", [8, 64, 100])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_mask_on_one_input_is_counted_however_wide_it_is(columns: int, dtype: type, sign: int) -> None:
    before: NDArray[Any] = (sign * np.linspace(1, 2, columns)).astype(dtype)[None]
    mask = np.random.default_rng(columns).random((32, columns)) < 0.75
    after = np.where(mask, before * dtype(2), dtype(0))
    found = tally_mask(np.broadcast_to(before, after.shape), after)
    assert (found.kept, found.cells) == (int(mask.sum()), mask.size)
    assert (found.lowest, found.highest) == (2.0, 2.0)
    assert found.first.size == found.kept
    assert set(found.first.tolist()) == {2.0}


def test_a_factor_that_is_not_positive_is_counted_all_the_same() -> None:
    before = np.broadcast_to(np.linspace(1, 2, 100)[None], (4, 100))
    found = tally_mask(before, -before)
    assert (found.kept, found.lowest, found.highest) == (400, -1.0, -1.0)


def test_where_single_factors_are_not_wanted_there_are_none() -> None:
    before = np.broadcast_to(np.linspace(1, 2, 100)[None], (4, 100))
    assert tally_mask(before, before * 2, sampled=False).first.size == 0
    assert tally_mask(before.copy(), before * 2, sampled=False).first.size == 0


def output(values: NDArray[Any], reference: NDArray[Any], pictured: int = 100) -> Any:
    divisor = np.where(reference == 0, np.inf, reference)
    return tally_output(values, reference, divisor, (1, len(reference), 1), pictured=pictured)


def test_an_output_is_projected_and_its_zeros_and_extremes_found() -> None:
    reference = np.array([1.0, 2.0, 0.0, 4.0])
    found = output(np.array([[2.0, 0.0, 5.0, 4.0], [1.0, 1.0, 0.0, 0.0]]), reference)
    assert found.projections.tolist() == [18.0, 3.0]
    assert found.products.tolist() == [3.0, 2.0, 0.0, 16.0]
    assert (found.zeros, found.lowest, found.highest, found.non_finite) == (2, 0.5, 2.0, 0)
    assert found.first.tolist() == [2.0, 0.0, 1.0, 1.0, 0.5, 0.0]


def test_an_output_without_a_pictured_replicate_has_zeros_and_no_extremes() -> None:
    found = output(np.array([[2.0, 0.0], [0.0, 0.0]]), np.array([1.0, 2.0]), pictured=0)
    assert (found.zeros, found.lowest, found.highest, found.non_finite) == (3, np.inf, -np.inf, 0)
    assert found.first.shape == (0,)


def test_an_output_that_is_not_finite_counts_that_and_nothing_else() -> None:
    found = output(np.array([[np.nan, 1.0], [np.inf, 1.0], [1.0, 1.0]]), np.array([1.0, 2.0]))
    assert (found.non_finite, found.zeros, found.lowest, found.highest) == (2, 0, np.inf, -np.inf)
    assert (found.products.shape, found.first.shape) == ((0,), (0,))


def test_large_single_precision_is_summed_in_double() -> None:
    large = np.full((2, 2), 2e38, np.float32)
    found = output(large, np.array([1.0, 2.0], np.float32))
    assert found.non_finite == 0
    assert found.projections == pytest.approx([6e38, 6e38], rel=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_smallest_factor_above_zero_is_found_among_zeros_of_either_sign(dtype: type) -> None:
    values: NDArray[Any] = np.array([[0.0, -0.0, 3.0, 0.25]], dtype)
    found = output(values, np.ones(4, dtype))
    assert (found.lowest, found.highest, found.zeros) == (0.25, 3.0, 2)
    only_negative = output(np.array([[0.0, -2.0, -0.0, -3.0]], dtype), np.ones(4, dtype))
    assert (only_negative.lowest, only_negative.highest, only_negative.zeros) == (-3.0, -2.0, 2)
