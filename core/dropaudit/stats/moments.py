"""Running moments that never hold the sample."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Spread under this share of the mean is rounding.
_ROUNDING = 1e-9


class RunningMoments:
    """Mean, variance and kurtosis of a scalar stream, merged chunk by chunk.

    With n values whose sums of powers of deviations are M2, M3 and M4, and the same of the next chunk, the merged sums
    are those of Chan, Golub & LeVeque 1979 (M2) and Pebay 2008 (M3, M4).
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._powers = (0.0, 0.0, 0.0)

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in the next values, shape (n,)."""
        if values.size == 0:
            return
        part = RunningMoments()
        part.count, part.mean = values.size, float(values.mean())
        deviations = values - part.mean
        squares = deviations * deviations
        part._powers = (float(squares.sum()), float(squares @ deviations), float(squares @ squares))
        self.merge(part)

    def merge(self, part: RunningMoments) -> None:
        """Take in the moments of the next values."""
        if part.count == 0:
            return
        total = self.count + part.count
        shift = part.mean - self.mean
        self._powers = _merged(self._powers, part._powers, shift, self.count / total, part.count / total, total)
        self.mean += shift * part.count / total
        self.count = total

    @property
    def sd(self) -> float:
        """Standard deviation with the divisor n; 0 for fewer than two values."""
        return math.sqrt(self._powers[0] / self.count) if self.count > 1 else 0.0

    @property
    def is_constant(self) -> bool:
        """Whether all values so far are one number, up to rounding."""
        return self.sd <= _ROUNDING * abs(self.mean)

    @property
    def effective_count(self) -> float:
        """Values over kurtosis, M2^2 / M4: how many values carry the spread; 0 for a constant stream.

        A third of the count for normal values, about the number of rare events where the spread comes from those.
        """
        second, _, fourth = self._powers
        return 0.0 if self.is_constant else second * second / fourth


def _merged(
    a: tuple[float, ...], b: tuple[float, ...], shift: float, share_a: float, share_b: float, total: int
) -> tuple[float, float, float]:
    """Merge (M2, M3, M4) of two parts whose means differ by `shift`."""
    between = total * share_a * share_b
    second = a[0] + b[0] + shift**2 * between
    third = a[1] + b[1] + shift**3 * between * (share_a - share_b) + 3 * shift * (share_a * b[0] - share_b * a[0])
    fourth = a[2] + b[2] + shift**4 * between * (share_a**2 - share_a * share_b + share_b**2)
    fourth += 6 * shift**2 * (share_a**2 * b[0] + share_b**2 * a[0]) + 4 * shift * (share_a * b[1] - share_b * a[1])
    return second, third, fourth
