"""The sizes at which a growing sample is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Looks = NDArray[np.int64]


def every_step(first: int, last: int) -> Looks:
    """Return first, first + 1, …, last."""
    return np.arange(first, last + 1)


def doubling(first: int, last: int) -> Looks:
    """Return first, 2 first, 4 first, … up to last: what the audit does after each chunk."""
    if not 1 <= first <= last:
        raise ValueError(f"need 1 <= first <= last, got {first} and {last}")
    steps = int(np.log2(last // first)) + 1
    return first * 2 ** np.arange(steps)
