"""Whether two arrays hold the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def agree(first: NDArray[Any], second: NDArray[Any], precision: float) -> bool:
    """Whether two arrays are equal within `precision`, relative to each value and to the largest finite one.

    Shapes that do not broadcast do not agree. NaN equals NaN, and an infinity its like.
    """
    if first.shape == second.shape and np.array_equal(first, second):
        return True  # as two runs of one session are, mostly; to find that out takes a tenth of the time
    if not _broadcast(first.shape, second.shape):
        return False
    finite = np.abs(first[np.isfinite(first)].astype(np.float64))
    tolerance = precision * float(finite.max(initial=0.0))
    return bool(np.allclose(first, second, rtol=precision, atol=tolerance, equal_nan=True))


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    paired = zip(reversed(first), reversed(second), strict=False)
    return all(one == other or 1 in (one, other) for one, other in paired)
