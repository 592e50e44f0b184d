"""Element-wise ratios of a masked tensor to what went into it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MEDIAN_SAMPLE = 65_536


@dataclass(frozen=True, slots=True)
class Ratios:
    """How kept elements compare with the input.

    Attributes:
        kept: mask cells that are kept.
        cells: mask cells whose input is away from zero, so that kept and dropped differ.
        values: output over input of the kept elements, shape (k,).
    """

    kept: int
    cells: int
    values: NDArray[np.float64]


def smallest_input(dtype: np.dtype[np.floating]) -> float:
    """Return the magnitude under which an input of this type is too near zero for a ratio of full precision."""
    return 16 * float(np.finfo(dtype).tiny)


def ratios(before: NDArray[np.floating], after: NDArray[np.floating], shared_axes: tuple[int, ...] = ()) -> Ratios:
    """Compare a tensor after a mask with the same tensor before it.

    Args:
        before: input of the mask, any shape; broadcast against `after`.
        after: output of the mask.
        shared_axes: axes along which one mask cell serves; its elements count once.

    Exact zeros are dropped elements (-0.0 too). Elements whose input is zero, tiny or not finite say nothing.
    """
    before, after = np.broadcast_arrays(before, after)
    size = np.abs(before)
    telling = np.isfinite(before) & np.isfinite(after) & (size > smallest_input(before.dtype))
    kept = telling & (after != 0)
    values = after[kept].astype(np.float64) / before[kept].astype(np.float64)
    if shared_axes:
        kept, telling = kept.any(axis=shared_axes), telling.any(axis=shared_axes)
    return Ratios(kept=int(kept.sum()), cells=int(telling.sum()), values=values)


class RunningSpread:
    """Extremes of a stream, and the median of its first 65,536 values."""

    def __init__(self) -> None:
        self.lowest = np.inf
        self.highest = -np.inf
        self._sample: list[NDArray[np.float64]] = []
        self._room = _MEDIAN_SAMPLE

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in the next values, shape (n,)."""
        if values.size == 0:
            return
        self.lowest = min(self.lowest, float(values.min()))
        self.highest = max(self.highest, float(values.max()))
        if self._room > 0:
            part = values[: self._room].copy()
            self._sample.append(part)
            self._room -= part.size

    @property
    def empty(self) -> bool:
        """Whether nothing was taken in."""
        return not self._sample

    @property
    def median(self) -> float:
        """Median of the first values. Raises ValueError when empty."""
        if self.empty:
            raise ValueError("no values, no median")
        return float(np.median(np.concatenate(self._sample)))
