"""The first entries of a large batch: what holds for copies of them holds for copies of all, and is soon tried."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dropaudit.runtime.replicates import Axes
from dropaudit.subjects import Array

# Numbers of one replicate from which on trials are made on an excerpt, and how many of them that keeps.
_LARGE = 2**19
_ENOUGH = 2**16
# One entry would not tell a mask that a batch shares.
_FEWEST = 2


def excerpt(feeds: Mapping[str, Array], axes: Axes, elements: int) -> dict[str, Array] | None:
    """Return inputs with the first entries of their batch only; None where that saves nothing.

    Args:
        feeds: the inputs of one replicate.
        axes: batch axis of each input that has one.
        elements: numbers that one replicate returns.
    """
    extents = {feeds[name].shape[axis] for name, axis in axes.items() if name in feeds}
    if elements < _LARGE or len(extents) != 1:
        return None
    (extent,) = extents
    few = max(_FEWEST, -(-_ENOUGH * extent // elements))
    if few >= extent:
        return None
    return {name: _first(value, axes[name], few) if name in axes else value for name, value in feeds.items()}


def _first(value: Array, axis: int, count: int) -> Array:
    return np.ascontiguousarray(value[(slice(None),) * axis + (slice(count),)])
