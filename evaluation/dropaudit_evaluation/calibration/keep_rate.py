"""How often the confidence sequence for a keep probability misses it, watched all along."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dropaudit.stats.keep_rate import keep_rate_interval
from dropaudit_evaluation.calibration.binomial import Proportion
from dropaudit_evaluation.calibration.looks import Looks

Counts = NDArray[np.int64]


def accepted_counts(keep_prob: float, alpha: float, looks: Looks) -> tuple[Counts, Counts]:
    """Return for each look the fewest and the most kept cells whose interval covers `keep_prob`.

    The likelihood of `keep_prob` falls on both sides of the kept share, so what is covered is a range of counts. It
    grows with the cells, so each look's edges are found by walking from the last look's.
    """
    fewest, most = np.zeros_like(looks), np.zeros_like(looks)
    low = high = 0
    for place, cells in enumerate(map(int, looks)):
        inside = min(max(round(keep_prob * cells), low, 0), cells)
        low = _first_covered(low, inside, cells, keep_prob, alpha)
        high = _last_covered(inside, max(high, inside), cells, keep_prob, alpha)
        fewest[place], most[place] = low, high
    return fewest, most


def _covers(kept: int, cells: int, keep_prob: float, alpha: float) -> bool:
    found = keep_rate_interval(kept, cells, alpha)
    return found.lower <= keep_prob <= found.upper


def _first_covered(start: int, inside: int, cells: int, keep_prob: float, alpha: float) -> int:
    """Bisect between a count that may lie below the range and one inside of it."""
    if _covers(start, cells, keep_prob, alpha):
        return start
    below = start
    while inside - below > 1:
        middle = (below + inside) // 2
        below, inside = (below, middle) if _covers(middle, cells, keep_prob, alpha) else (middle, inside)
    return inside


def _last_covered(inside: int, start: int, cells: int, keep_prob: float, alpha: float) -> int:
    """Step up in doubling strides from a covered count until one is not, then bisect."""
    stride = 1
    covered = start if _covers(start, cells, keep_prob, alpha) else inside
    while covered < cells and _covers(above := min(covered + stride, cells), cells, keep_prob, alpha):
        covered, stride = above, stride * 2
    above = min(covered + stride, cells + 1)
    while above - covered > 1:
        middle = (covered + above) // 2
        covered, above = (middle, above) if _covers(middle, cells, keep_prob, alpha) else (covered, middle)
    return covered


def miss_probability(keep_prob: float, alpha: float, looks: Looks) -> float:
    """Return the exact probability that some look's interval misses `keep_prob`.

    The law of the kept cells is carried from cell to cell, without the paths that a look has found missing:
    p[n+1, k] = (1 - q) p[n, k] + q p[n, k-1].
    """
    fewest, most = accepted_counts(keep_prob, alpha, looks)
    edges = dict(zip(map(int, looks), zip(map(int, fewest), map(int, most), strict=True), strict=True))
    law = np.zeros(int(looks[-1]) + 1)
    law[0], missed = 1.0, 0.0
    for cells in range(1, int(looks[-1]) + 1):
        law[1 : cells + 1] = (1 - keep_prob) * law[1 : cells + 1] + keep_prob * law[:cells]
        law[0] *= 1 - keep_prob
        if cells in edges:
            low, high = edges[cells]
            missed += float(law[:low].sum() + law[high + 1 :].sum())
            law[:low] = 0.0
            law[high + 1 :] = 0.0
    return missed


def simulated_misses(
    keep_prob: float, alpha: float, looks: Looks, streams: int, rng: np.random.Generator
) -> Proportion:
    """Count the streams of which some look's interval misses `keep_prob`."""
    fewest, most = accepted_counts(keep_prob, alpha, looks)
    drawn = rng.binomial(np.diff(looks, prepend=0), keep_prob, size=(streams, looks.size))
    kept = np.cumsum(drawn, axis=1)
    missed = ((kept < fewest) | (kept > most)).any(axis=1)
    return Proportion(int(missed.sum()), streams)
