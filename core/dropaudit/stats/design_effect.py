"""How much less cells say about their rate where several of them are made of the same draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dropaudit.stats.mean import may_look
from dropaudit.stats.moments import RunningMoments


class DesignEffect:
    """The variance of the kept share of a replicate, over that of as many independent cells.

    The design effect of Kish, "Survey Sampling", 1965. Replicates are independent of each other, and the cells of one
    need not be: those of a mask by MaxPool over a draw share draws where windows overlap. n cells then say as much as
    n / effect independent ones.
    """

    def __init__(self) -> None:
        self._shares = RunningMoments()
        self._kept = 0.0
        self._cells = 0.0
        self._inverses = 0.0

    def add(self, kept: NDArray[np.integer], cells: NDArray[np.integer]) -> None:
        """Take in how many cells of each replicate are kept, and how many there are, shape (n,)."""
        seen = cells > 0
        kept, cells = kept[seen], cells[seen]
        self._shares.add(kept / cells)
        self._kept += float(kept.sum())
        self._cells += float(cells.sum())
        self._inverses += float((1 / cells).sum())

    @property
    def value(self) -> float:
        """The effect, at least 1; until it can be told, that of cells which all agree in a replicate."""
        count = self._shares.count
        if count == 0:
            return 1.0
        if not may_look(self._shares) or not 0 < self._kept < self._cells:
            return max(1.0, self._cells / count)
        rate = self._kept / self._cells
        independent = rate * (1 - rate) * self._inverses / count
        return max(1.0, self._shares.sd**2 * count / (count - 1) / independent)
