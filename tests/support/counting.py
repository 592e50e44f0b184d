"""Replicates around a mask, and what numpy counts in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dropaudit.graph.passes.reductions import MaskPlace
from dropaudit.runtime.counters import Counter, on_device
from dropaudit.runtime.replicates import Reduction
from dropaudit.subjects import Array

REPLICATES = 131


@dataclass(frozen=True)
class Layout:
    """Extents before and after the replicates, and the fold of the output."""

    before: int
    after: int
    fold: tuple[int, int, int]


@dataclass(frozen=True)
class Weighing:
    """An output compared with a reference, in which zeros tell nothing."""

    weights: Array
    fold: tuple[int, int, int]
    weight_limit: float = 0.0

    @property
    def divisor(self) -> Array:
        return np.where(self.weights == 0, np.float32(np.inf), self.weights).astype(np.float32)


LAYOUTS = [
    Layout(1, 24, (2, 3, 4)),
    Layout(6, 32, (1, 6, 32)),
    Layout(1, 4096, (1, 1, 4096)),
    Layout(3, 70, (3, 7, 10)),  # does not divide by four
    Layout(5, 3, (1, 5, 3)),
]


def assert_counts_are_those_of_numpy(counter: Counter, layout: Layout, device: str, *, fixed: bool) -> None:
    """Count a mask that keeps 0.7 and doubles, on inputs and references of which some are zero."""
    random = np.random.default_rng(7)
    before = random.standard_normal((layout.before, 1 if fixed else REPLICATES, layout.after)).astype(np.float32)
    before[random.random(before.shape) < 0.1] = 0
    mask = random.random((layout.before, REPLICATES, layout.after)) < 0.7
    after = np.where(mask, before * np.float32(2), np.float32(0)).astype(np.float32)
    reference = random.standard_normal(layout.before * layout.after).astype(np.float32)
    reference[::5] = 0
    place, output = MaskPlace("before", "after", fixed), Weighing(reference, layout.fold)
    reduction = Reduction((place,), {"after": (2.0, 2.0)}, {"after": output}, {"before": before} if fixed else {})
    drawn = {"before": on_device(before, device), "after": on_device(after, device)}
    found = counter.count(reduction, drawn, REPLICATES)
    for name, value in _expected(before, after, reference, layout.fold).items():
        np.testing.assert_allclose(found[f"after/{name}"], value, rtol=1e-5, atol=1e-3, err_msg=name)


def _expected(before: Array, after: Array, reference: Array, fold: tuple[int, int, int]) -> dict[str, Array]:
    rows = after.transpose(1, 0, 2).reshape(REPLICATES, -1).astype(np.float64)
    products = rows * reference
    return {
        "kept": (rows != 0).sum(axis=1),
        "cells": np.broadcast_to((before != 0).sum(axis=(0, 2)), REPLICATES),
        "strange": np.zeros(REPLICATES),
        "lowest": np.full(REPLICATES, 2.0),
        "highest": np.full(REPLICATES, 2.0),
        "projections": products.sum(axis=1),
        "products": products.sum(axis=0).reshape(fold).sum(axis=(0, 2)),
        "zeros": ((rows == 0) & (reference != 0)).sum(axis=1),
    }
