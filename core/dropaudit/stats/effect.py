"""What noise does to an output: how far its mean moves, and how much it scatters."""

from __future__ import annotations

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


def effect_of(replicates: NDArray[Any], reference: NDArray[Any]) -> Effect:
    """Compare replicates, shape (n, …), with a reference of shape (…)."""
    y = np.asarray(replicates, dtype=np.float64).reshape(len(replicates), -1)
    ref = np.asarray(reference, dtype=np.float64).ravel()
    norm = norm_squared(ref)
    gap = float(inner(y, ref).mean()) / norm - 1 if norm else 0.0
    return Effect(mean_gap=gap, variance=float(np.square(y - y.mean(axis=0)).sum(axis=1).mean()) / (norm or 1.0))
