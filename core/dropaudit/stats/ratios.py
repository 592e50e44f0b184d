"""Element-wise comparison of a masked tensor with what went into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Values that a median, or a picture of a distribution, is made from.
SAMPLE = 16_384
_ULPS = 4
# Where a line has a shift, the slope is read off elements that are not small beside it.
_BESIDE_SHIFT = 0.05


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


@dataclass(frozen=True, slots=True)
class Cells:
    """A mask, element by element.

    Attributes:
        informative: elements whose input is finite and away from zero, so that kept and dropped differ.
        kept: informative elements that are kept.
    """

    informative: NDArray[np.bool_]
    kept: NDArray[np.bool_]


def smallest_input(dtype: np.dtype[np.floating]) -> float:
    """Return the magnitude under which an input of this type is too near zero for a ratio of full precision."""
    return 16 * float(np.finfo(dtype).tiny)


def mask_cells(before: NDArray[np.floating], after: NDArray[np.floating], dropped: float = 0.0) -> Cells:
    """Read a mask off a tensor before and after it.

    Args:
        before: input of the mask, any shape; broadcast against `after`.
        after: output of the mask.
        dropped: what dropped elements become; zeros count as dropped with either sign.
    """
    before, after = np.broadcast_arrays(before, after)
    informative = np.isfinite(before) & np.isfinite(after) & (np.abs(before) > smallest_input(before.dtype))
    if dropped == 0:
        return Cells(informative, informative & (after != 0))
    tolerance = _ULPS * float(np.finfo(after.dtype).eps) * abs(dropped)
    return Cells(informative, informative & (np.abs(after.astype(np.float64) - dropped) > tolerance))


def aligned(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
    """Give what is broadcast to a mask's shape the axes that it lacks, behind the first, which counts replicates."""
    return before[(slice(None), *(None,) * (after.ndim - before.ndim))] if before.ndim < after.ndim else before


def ratios(
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    shared_axes: tuple[int, ...] = (),
    *,
    shift: float = 0.0,
    dropped: float = 0.0,
) -> Ratios:
    """Compare a tensor after a mask with the same tensor before it.

    Args:
        before: input of the mask, any shape; broadcast against `after`.
        after: output of the mask: slope * input + shift where kept, `dropped` where not.
        shared_axes: axes along which one mask cell serves; its elements count once.

    Exact zeros are dropped elements (-0.0 too). Elements whose input is zero, tiny or not finite say nothing.
    """
    before, after = np.broadcast_arrays(before, after)
    cells = mask_cells(before, after, dropped)
    clear = cells.kept if shift == 0 else cells.kept & (np.abs(before) > _BESIDE_SHIFT * abs(shift))
    values = (after[clear].astype(np.float64) - shift) / before[clear].astype(np.float64)
    kept, informative = (
        np.any(each, axis=shared_axes) if shared_axes else each for each in (cells.kept, cells.informative)
    )
    return Ratios(kept=int(kept.sum()), cells=int(informative.sum()), values=values)


def median(values: NDArray[np.floating]) -> float:
    """Return the median of at least one value, shape (n,).

    numpy's own first imports its masked arrays, which takes longer than comparing two recordings.
    """
    lower, upper = (values.size - 1) // 2, values.size // 2
    placed = np.partition(values, (lower, upper))
    return float((placed[lower] + placed[upper]) / 2)


class RunningSpread:
    """Extremes of a stream, and the median of its first 16,384 values."""

    def __init__(self) -> None:
        self.lowest = np.inf
        self.highest = -np.inf
        self._sample: list[NDArray[np.floating]] = []
        self._median: float | None = None
        self.room = SAMPLE

    def add(self, values: NDArray[np.floating]) -> None:
        """Take in the next values, shape (n,)."""
        if values.size:
            self.merge(float(values.min()), float(values.max()), values)

    def merge(self, lowest: float, highest: float, first: NDArray[np.floating]) -> None:
        """Take in the extremes of the next values, and the first of them, shape (k,).

        Where no value was ever among the first, extremes stand for them.
        """
        self.lowest = min(self.lowest, lowest)
        self.highest = max(self.highest, highest)
        if self.empty and not first.size:
            first = np.array([lowest, highest])
        if self.room > 0 and first.size:
            part = first[: self.room].copy()
            self._sample.append(part)
            self._median = None
            self.room -= part.size

    @property
    def empty(self) -> bool:
        """Whether nothing was taken in."""
        return not self._sample

    @property
    def first(self) -> NDArray[np.floating]:
        """The first values, shape (k,)."""
        return np.concatenate(self._sample) if self._sample else np.empty(0)

    @property
    def median(self) -> float:
        """Median of the first values. Raises ValueError when empty."""
        if self.empty:
            raise ValueError("no values, no median")
        if self._median is None:
            self._median = median(np.concatenate(self._sample))
        return self._median
