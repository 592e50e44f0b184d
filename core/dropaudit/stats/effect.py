"""The effect of noise on an output: the shift of its mean, and its scatter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropaudit.stats.products import inner, norm_squared


@dataclass(frozen=True, slots=True)
class Effect:
    """Gap and scatter of replicates y_t against a reference.

    Attributes:
        mean_gap: mean of <y_t, ref> / <ref, ref> minus 1; 0 for a reference of zeros.
        variance: mean of |y_t - mean y|^2 over |ref|^2; over 1 for a reference of zeros.
    """

    mean_gap: float
    variance: float


class RunningEffect:
    """Effect on one output, from pieces of a sample; a piece is forgotten when it was added.

    With d_t = y_t - ref, the gap is mean <d_t, ref> / <ref, ref>, and the scatter mean |d_t|^2 - |mean d|^2 over
    |ref|^2: differences from the reference are small where the scatter is, so that little cancels.
    """

    def __init__(self, reference: NDArray[Any]) -> None:
        self._reference = np.asarray(reference).reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            self._norm = norm_squared(self._reference.astype(np.float64))
        self._count = 0
        self._products = 0.0
        self._squares = 0.0
        self._sums = np.zeros(self._reference.size)

    def add(self, replicates: NDArray[Any]) -> None:
        """Take in replicates of shape (n, …)."""
        with np.errstate(over="ignore", invalid="ignore"):
            gaps = replicates.reshape(len(replicates), -1) - self._reference
            self._count += len(gaps)
            self._products += float(inner(gaps, self._reference).sum())
            self._squares += float(np.vecdot(gaps, gaps).sum(dtype=np.float64))
            self._sums += gaps.sum(axis=0)

    @property
    def is_finite(self) -> bool:
        """Whether all numbers so far were finite, and none too large to be squared: otherwise there is no effect."""
        sums = (self._norm, self._products, self._squares, float(np.abs(self._sums).max(initial=0.0)))
        return all(map(math.isfinite, sums))

    @property
    def effect(self) -> Effect:
        """The effect found so far. Raises ValueError before the first replicate, and where not all is finite."""
        if self._count == 0:
            raise ValueError("no replicates, no effect")
        if not self.is_finite:
            raise ValueError("numbers that are not finite have no effect")
        scatter = self._squares / self._count - norm_squared(self._sums / self._count)
        return Effect(
            mean_gap=self._products / self._count / self._norm if self._norm else 0.0,
            variance=max(0.0, scatter) / (self._norm or 1.0),
        )
