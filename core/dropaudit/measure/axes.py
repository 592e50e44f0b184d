"""Which axis of a tensor is the batch, which is time: found by changing the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from dropaudit.report import Axis
from dropaudit.subjects import Array

Tensors = Mapping[str, Array]
Run = Callable[[dict[str, Array]], Tensors]
Labels = tuple[Axis, ...]


def label_axes(run: Run, feeds: dict[str, Array], stepped: frozenset[str]) -> dict[str, Labels]:
    """Name the axes of each tensor that `run` returns.

    Change one slice of an input along an axis. Along the batch the change stays in its slice; along time the last step
    changes nothing but itself, where a recurrence carries the first step into all. What neither tells follows the
    custom: batch, time, feature.

    Args:
        run: executes the model without randomness.
        feeds: its inputs.
        stepped: tensors whose first axis counts the steps of a Scan or Loop.
    """
    base = run(feeds)
    batch: dict[str, int] = {}
    time: dict[str, int] = {}
    for name, axis in _input_axes(feeds):
        early, late = (run(_changed(feeds, name, axis, index)) for index in (0, -1))
        extent = feeds[name].shape[axis]
        for tensor, value in base.items():
            taken = {batch.get(tensor, -1), time.get(tensor, -1), 0 if tensor in stepped else -1}
            free = set(range(value.ndim)) - taken
            both = _confined(value, early[tensor], extent, 0) & _confined(value, late[tensor], extent, -1) & free
            last = _confined(value, late[tensor], extent, -1) & free
            if both and tensor not in batch:
                batch[tensor] = min(both)
            elif last and tensor not in time:
                time[tensor] = min(last)
    return {
        tensor: _labels(value.ndim, batch.get(tensor), 0 if tensor in stepped else time.get(tensor))
        for tensor, value in base.items()
    }


def _input_axes(feeds: dict[str, Array]) -> Iterator[tuple[str, int]]:
    """Yield the axes that may be batch or time: all but the last of floating-point inputs, all of integer ones."""
    for name, value in feeds.items():
        last = value.ndim - 1 if value.dtype.kind == "f" and value.ndim > 1 else value.ndim
        for axis in range(min(2, last)):
            if value.shape[axis] > 1 and value.dtype.kind in "fiu":
                yield name, axis


def _changed(feeds: dict[str, Array], name: str, axis: int, index: int) -> dict[str, Array]:
    value = feeds[name].copy()
    place = tuple(index if each == axis else slice(None) for each in range(value.ndim))
    # Integer ids stay below their bound: the smallest and the next are surely among them.
    value[place] = value[place] + 1 if value.dtype.kind == "f" else np.where(value[place] == 0, 1, 0)
    return {**feeds, name: value}


def _confined(before: Array, after: Array, extent: int, index: int) -> set[int]:
    """Return the axes of that extent along which two tensors differ in the slice `index` and nowhere else."""
    if before.shape != after.shape:
        return set()
    differs = before != after
    found = set()
    for axis in range(before.ndim):
        if before.shape[axis] == extent:
            others = tuple(each for each in range(before.ndim) if each != axis)
            along = differs.any(axis=others)
            if along[index] and int(along.sum()) == 1:
                found.add(axis)
    return found


def _labels(rank: int, batch: int | None, time: int | None) -> Labels:
    labels = {axis: Axis.FEATURE for axis in range(rank)}
    if batch is None and rank > 1:
        batch = next((axis for axis in range(rank - 1) if axis != time), None)
    if time is None and rank > 2:
        time = next((axis for axis in range(rank - 1) if axis != batch), None)
    if time is not None:
        labels[time] = Axis.TIME
    if batch is not None:
        labels[batch] = Axis.BATCH
    return tuple(labels[axis] for axis in range(rank))
