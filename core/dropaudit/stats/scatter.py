"""Whether the cells of one mask lie as independent draws would leave them.

What nobody drew has an order: a block along the diagonal, a band, every other cell, two of every four. It shows in how
often neighbours differ, or in rows that all keep as many cells.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# In standard deviations: of independent cells, one mask in two thousand lies further off.
_FARTHEST = 3.5


def is_scattered(kept: NDArray[np.bool_]) -> bool:
    """Whether nothing along any axis speaks against independent cells of one keep rate.

    Args:
        kept: one mask, any shape, with cells of both kinds.
    """
    return all(
        abs(_alternation(kept, axis)) <= _FARTHEST and _difference(kept, axis) >= -_FARTHEST
        for axis in range(kept.ndim)
    )


def is_patterned(kept: NDArray[np.bool_]) -> bool:
    """Whether neighbours alternate, or all lines along every axis keep as many cells, more than chance explains.

    Cells that hang together are no pattern: windows in time and squares are drawn as well.

    Args:
        kept: one mask, any shape, with cells of both kinds.
    """
    axes = [axis for axis in range(kept.ndim) if kept.shape[axis] > 1]
    alternates = any(_alternation(kept, axis) > _FARTHEST for axis in axes)
    return alternates or (len(axes) > 1 and all(_difference(kept, axis) < -_FARTHEST for axis in axes))


def _alternation(kept: NDArray[np.bool_], axis: int) -> float:
    """Say how many more neighbours differ than by chance, in standard deviations.

    The runs test of Wald and Wolfowitz (1940): of M pairs 2 p q M differ, +- 2 p q sqrt(M).
    """
    pairs = kept.size - kept.size // max(1, kept.shape[axis])
    chance = 2 * float(kept.mean()) * (1 - float(kept.mean()))
    differing = int(np.count_nonzero(np.diff(kept, axis=axis)))
    return (differing - chance * pairs) / (chance * math.sqrt(pairs)) if pairs else 0.0


def _difference(kept: NDArray[np.bool_], axis: int) -> float:
    """Say how much more the lines along an axis differ in what they keep than by chance, in standard deviations.

    The sum of the squared deviations over n p q is chi-square with one degree of freedom less than there are lines;
    sqrt(2 chi2) is nearly normal around sqrt(2 df - 1) (Fisher 1925).
    """
    extent, share = kept.shape[axis], float(kept.mean())
    counts = kept.sum(axis=axis).ravel()
    if extent < 2 or counts.size < 2:
        return 0.0
    squares = float(np.square(counts - share * extent).sum()) / (extent * share * (1 - share))
    return math.sqrt(2 * squares) - math.sqrt(2 * counts.size - 3)
