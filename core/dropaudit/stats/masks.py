"""Exact comparison of masks: between runs, sites, and along axes.

Masks that are drawn independently agree by chance with probability (q^2 + (1-q)^2) a cell. A comparison over enough
cells that the chance of a false finding is below alpha needs no other statistics.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def chance_of_agreement(keep_prob: float, cells: int) -> float:
    """Return the probability that two independent masks agree in all cells.

    Args:
        keep_prob: q, in [0, 1].
        cells: cells compared.
    """
    same = keep_prob**2 + (1 - keep_prob) ** 2
    return math.exp(cells * math.log(same)) if cells else 1.0


def agree_for_certain(first: Mask, second: Mask, informative: Mask, alpha: float) -> bool:
    """Whether two masks agree in every informative cell, which independent ones would with a chance below alpha.

    Args:
        first: one mask, any shape.
        second: another, of that shape.
        informative: cells in which kept and dropped differ.
        alpha: chance of a false answer.
    """
    if first.shape != second.shape or not np.array_equal(first & informative, second & informative):
        return False
    cells = int(informative.sum())
    if cells == 0:
        return False
    return chance_of_agreement(float((first & informative).sum()) / cells, cells) < alpha


def shared_axes(kept: Mask, informative: Mask, alpha: float) -> tuple[int, ...]:
    """Return the axes along which one mask cell serves.

    Args:
        kept: masks of several draws, shape (n, …); the first axis is never shared.
        informative: cells in which kept and dropped differ, of that shape.
        alpha: chance of a false answer, for each axis.
    """
    return tuple(
        axis for axis in range(1, kept.ndim) if kept.shape[axis] > 1 and _is_shared(kept, informative, axis, alpha)
    )


def _is_shared(kept: Mask, informative: Mask, axis: int, alpha: float) -> bool:
    """Compare every cell with the first informative one along the axis."""
    if _neighbours_differ(kept, informative, axis):
        return False
    first = np.expand_dims(np.argmax(informative, axis=axis), axis)
    reference = np.take_along_axis(kept, first, axis=axis)
    compared = informative & np.take_along_axis(informative, first, axis=axis)
    np.put_along_axis(compared, first, False, axis=axis)
    if not compared.any() or np.any(compared & (kept != reference)):
        return False
    cells = int(compared.sum())
    share = float((kept & compared).sum()) / cells
    return 0 < share < 1 and chance_of_agreement(share, cells) < alpha


def _neighbours_differ(kept: Mask, informative: Mask, axis: int) -> bool:
    """Whether the first two slices differ where both tell: that refutes sharing, and nearly always does."""
    (a, b), (seen_a, seen_b) = (
        (np.take(each, 0, axis=axis), np.take(each, 1, axis=axis)) for each in (kept, informative)
    )
    return bool(np.any((a != b) & seen_a & seen_b))


def correlated_runs(kept: Mask, keep_prob: float, alpha: float) -> float | None:
    """Test whether consecutive runs draw independent masks; return how widely keep counts scatter when they do not.

    Of n independent masks each cell is kept k ~ Binomial(n, q) times. By Hoeffding's inequality (1963) and the union
    bound, max_c |k_c - n q| exceeds sqrt(n log(2 C / alpha) / 2) over C cells with a chance below alpha.

    Args:
        kept: masks of n runs, shape (n, C).
        keep_prob: q, in (0, 1).
        alpha: chance of a false answer.

    Returns:
        The standard deviation of the counts over that of a binomial count, near 1 for independent runs; None when the
        counts are compatible with independent runs.
    """
    runs, cells = kept.shape
    deviations = kept.sum(axis=0) - runs * keep_prob
    if np.abs(deviations).max() <= math.sqrt(runs * math.log(2 * cells / alpha) / 2):
        return None
    return float(np.sqrt(np.square(deviations).mean() / (runs * keep_prob * (1 - keep_prob))))
