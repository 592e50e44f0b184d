"""Replicates: train-mode executions with fresh masks, drawn so that they are a valid sample.

A loop of single runs on ONNX Runtime's CPU provider is no such sample: consecutive runs draw correlated masks. One
run on the input repeated K times along its batch axis is: its masks come from one stretch of one generator. Where a
model cannot be tiled, each run gets a random seed of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dropaudit.runtime.session import Session, Tensors

Axes = Mapping[str, int]
_SINGLE_RUNS = 256


class Sampler(Protocol):
    """Draws replicates of named tensors."""

    @property
    def name(self) -> str:
        """What the report calls this way of drawing."""
        ...

    @property
    def largest(self) -> int:
        """Most replicates to ask for at once."""
        ...

    def draw(self, count: int, names: Sequence[str]) -> Tensors:
        """Return `count` replicates of the named tensors, along a new first axis."""
        ...


@dataclass(frozen=True, slots=True)
class TiledSampler:
    """Draws many replicates in one run.

    Attributes:
        feeds: one replicate's inputs.
        input_axes: batch axis of each input that has one.
        output_axes: batch axis of each tensor to return.
    """

    session: Session
    feeds: Tensors
    input_axes: Axes
    output_axes: Axes

    @property
    def name(self) -> str:
        """See Sampler."""
        return "tiled"

    @property
    def largest(self) -> int:
        """See Sampler; memory is the caller's limit."""
        return 2**31 - 1

    def draw(self, count: int, names: Sequence[str]) -> Tensors:
        """See Sampler."""
        found = self.session.run(tiled(self.feeds, self.input_axes, count), names)
        return {name: split(value, self.output_axes[name], count) for name, value in found.items()}


@dataclass(frozen=True, slots=True)
class ReseededSampler:
    """Draws one replicate a run, each run with a random seed."""

    session: Session
    feeds: Tensors

    @property
    def name(self) -> str:
        """See Sampler."""
        return "reseeded"

    @property
    def largest(self) -> int:
        """See Sampler."""
        return _SINGLE_RUNS

    def draw(self, count: int, names: Sequence[str]) -> Tensors:
        """See Sampler."""
        runs = [self.session.run(self.feeds, names) for _ in range(count)]
        return {name: np.stack([run[name] for run in runs]) for name in names}


def tiled(feeds: Mapping[str, NDArray[Any]], axes: Axes, count: int) -> Tensors:
    """Repeat every input that has a batch axis `count` times along it."""
    return {
        name: np.concatenate([value] * count, axis=axes[name]) if name in axes else value
        for name, value in feeds.items()
    }


def split(value: NDArray[Any], axis: int, count: int) -> NDArray[Any]:
    """Undo tiling: turn an axis of count * n into a first axis of `count` and an axis of n."""
    shape = (*value.shape[:axis], count, value.shape[axis] // count, *value.shape[axis + 1 :])
    return np.moveaxis(value.reshape(shape), axis, 0)
