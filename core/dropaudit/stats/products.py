"""Inner products of long vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 8192


def inner(values: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Return <values, weights> along the last axis, block by block, summed in double precision.

    A longer product is one that numpy's BLAS starts threads for. They wait for each other, and on busy cores that took
    250 times as long as the product.

    Args:
        values: shape (…, n).
        weights: shape (n,).
    """
    found = np.zeros(values.shape[:-1])
    for start in range(0, weights.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        found = found + np.vecdot(values[..., block], weights[block])
    return found


def norm_squared(values: NDArray[Any]) -> float:
    """Return the sum of squares of a vector, shape (n,)."""
    return float(inner(values, values))
