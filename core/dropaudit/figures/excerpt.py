"""A few elements of an output in both modes, one beside the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropaudit.report import Excerpt

ROWS, COLUMNS = 8, 16


def corner(values: NDArray[Any]) -> NDArray[Any]:
    """Return the first rows and columns of an array, all axes but the last taken as rows."""
    columns = values.shape[-1] if values.ndim else 1
    rows = math.prod(values.shape[:-1])
    return values.reshape(rows, columns)[:ROWS, :COLUMNS]


def excerpt_of(inference: NDArray[Any], train: NDArray[Any]) -> Excerpt | None:
    """Return corners of two arrays of one shape; None where they are empty."""
    rows = corner(inference)
    if rows.size == 0:
        return None
    return Excerpt(columns=rows.shape[1], inference=_rounded(rows), train=_rounded(corner(train)))


def _rounded(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(f"{value:.7g}") for value in values.ravel().astype(np.float64).tolist())
