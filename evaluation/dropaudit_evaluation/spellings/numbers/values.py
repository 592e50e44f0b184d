"""Tensors of many replicates at once: the first axis is the replicate, of length 1 where all replicates agree."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Value = NDArray[Any]


def one(array: NDArray[Any]) -> Value:
    """Return the value that an array is in all replicates."""
    return np.asarray(array)[None]


def shape_of(value: Value) -> tuple[int, ...]:
    """Return the shape that the graph knows."""
    return value.shape[1:]


def aligned(*values: Value) -> list[Value]:
    """Give all the same number of axes, as broadcasting does: new ones come before the graph's own."""
    rank = max(value.ndim for value in values)
    return [value.reshape(value.shape[0], *(1,) * (rank - value.ndim), *value.shape[1:]) for value in values]


def known(value: Value) -> NDArray[Any]:
    """Return what is the same in all replicates: shapes, axes, numbers of turns."""
    assert value.shape[0] == 1, "drawn where a constant is wanted"
    result: NDArray[Any] = value[0]
    return result


def integers(value: Value) -> tuple[int, ...]:
    """Return a constant list of integers."""
    return tuple(int(each) for each in np.atleast_1d(known(value)))


def axis_behind(axis: int, rank: int) -> int:
    """Return where an axis of the graph lies behind that of the replicates; `rank` is the graph's."""
    return axis + 1 if axis >= 0 else axis + rank + 1
