"""Claims about inner products of long vectors."""

from __future__ import annotations

import numpy as np
import pytest

from dropaudit.stats.products import inner, norm_squared


@pytest.mark.parametrize("size", [0, 1, 3, 8191, 8192, 8193, 20_000])
def test_the_product_is_that_of_numpy_however_long(size: int) -> None:
    rng = np.random.default_rng(size)
    values, weights = rng.normal(size=(2, 3, size)), rng.normal(size=size)
    assert inner(values, weights) == pytest.approx(values @ weights, rel=1e-9, abs=1e-9)
    assert inner(values, weights).shape == (2, 3)
    assert norm_squared(weights) == pytest.approx(float(weights @ weights), rel=1e-12)


def test_every_element_counts_once() -> None:
    ones = np.ones(20_000, np.float32)
    assert norm_squared(ones) == 20_000.0
    assert inner(np.stack([ones, 2 * ones]), ones).tolist() == [20_000.0, 40_000.0]


def test_blocks_are_summed_in_double_precision() -> None:
    """2^24 + 1 has no place in single precision."""
    values = np.ones(8192 * 2, np.float32)
    values[:8192] = 0
    values[0] = 2.0**12
    found = inner(values, values)
    assert found.dtype == np.float64
    assert float(found) == 2.0**24 + 8192
