"""Replicates as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dropaudit.runtime.replicates import Sampler
from dropaudit.runtime.session import Tensors


def draw(sampler: Sampler, count: int, names: Sequence[str]) -> Tensors:
    """Return `count` replicates of the named tensors, along a new first axis."""

    def whole(_: int, piece: Tensors) -> Tensors:
        return piece

    pieces = [piece for _, piece in sampler.pieces(count, names, whole)]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in names}
