"""Running moments that never hold the sample."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class RunningMoments:
    """Mean and variance of a scalar stream, merged chunk by chunk (Chan, Golub & LeVeque 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in the next values, shape (n,)."""
        if values.size == 0:
            return
        mean = float(values.mean())
        squares = float(np.square(values - mean).sum())
        total = self.count + values.size
        shift = mean - self.mean
        self._squares += squares + shift * shift * self.count * values.size / total
        self.mean += shift * values.size / total
        self.count = total

    @property
    def sd(self) -> float:
        """Standard deviation with the divisor n; 0 for fewer than two values."""
        return math.sqrt(self._squares / self.count) if self.count > 1 else 0.0
