"""Which axis of a tensor is the batch, which is time: found by changing the input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec
import numpy as np

from dropaudit.errors import ExecutionFailed
from dropaudit.report import Axis
from dropaudit.subjects import Array

Tensors = Mapping[str, Array]
Run = Callable[[dict[str, Array]], Tensors]
Labels = tuple[Axis, ...]
# By label, the axes of each tensor that grow with the axes of inputs that have it.
Grown = Mapping[str, Mapping[str, set[int]]]
_NONE: Grown = {}

_TIME_NAME = re.compile(r"time|seq|step|len", re.IGNORECASE)
_BATCH_NAME = re.compile(r"batch|^n$|^b$", re.IGNORECASE)


class _Change(msgspec.Struct, frozen=True):
    """The effect of changing an input along an axis.

    Attributes:
        grown: axes of each tensor that grow with the axis, where the model takes another extent.
        early: axes of each tensor along which a change of the first slice stays in the first slice.
        late: the same for the last slice.
        spreads: whether a change of the first slice goes anywhere else, as a recurrence carries it on.
    """

    extent: int
    label: str
    grown: Mapping[str, set[int]]
    early: Mapping[str, set[int]]
    late: Mapping[str, set[int]]
    spreads: bool

    @property
    def kind(self) -> Axis | None:
        """The axis's meaning, by its name or its behaviour; None where neither says."""
        if _TIME_NAME.search(self.label) or self.spreads:
            return Axis.TIME
        return Axis.BATCH if _BATCH_NAME.search(self.label) else None


def label_axes(
    run: Run,
    feeds: dict[str, Array],
    names: Mapping[str, tuple[str, ...]],
    stepped: frozenset[str],
    known: Grown = _NONE,
) -> dict[str, Labels]:
    """Name the axes of each tensor that `run` returns.

    Change one slice of an input along an axis. Along the batch the change stays in its slice; along time a recurrence
    carries the first step into all. An axis that a model leaves free is made longer: what grows with it is that axis.
    An axis that none of these identify is named by convention: batch, time, feature.

    Args:
        run: executes the model without randomness.
        feeds: its inputs.
        names: labels of the inputs' axes, empty where an axis has none.
        stepped: tensors whose first axis counts the steps of a Scan or Loop.
        known: what is known to grow, so that it needs no run.
    """
    base = run(feeds)
    changes = [_change(run, base, feeds, names, name, axis, known) for name, axis in _input_axes(feeds)]
    return {tensor: _labels(tensor, value.shape, changes, tensor in stepped) for tensor, value in base.items()}


def _change(
    run: Run,
    base: Tensors,
    feeds: dict[str, Array],
    names: Mapping[str, tuple[str, ...]],
    name: str,
    axis: int,
    known: Grown,
) -> _Change:
    extent = feeds[name].shape[axis]
    label = "".join(names.get(name, ())[axis : axis + 1])
    grown = known[label] if label in known else _grown(run, base, feeds, names, label) if label else {}
    if (_TIME_NAME.search(label) or _BATCH_NAME.search(label)) and all(grown.get(tensor) for tensor in base):
        # The name says what it is, and growing says where.
        return _Change(extent, label, grown, early={}, late={}, spreads=False)
    early, late = (run(_changed(feeds, name, axis, index)) for index in (0, -1))
    first = {tensor: _confined(value, early[tensor], extent, 0) for tensor, value in base.items()}
    moved = (tensor for tensor, value in base.items() if not np.array_equal(value, early[tensor], equal_nan=True))
    return _Change(
        extent=extent,
        label=label,
        grown=grown,
        early=first,
        late={tensor: _confined(value, late[tensor], extent, -1) for tensor, value in base.items()},
        spreads=any(not first[tensor] and extent in base[tensor].shape for tensor in moved),
    )


def _grown(
    run: Run, base: Tensors, feeds: dict[str, Array], names: Mapping[str, tuple[str, ...]], label: str
) -> dict[str, set[int]]:
    """Repeat the first slice along every axis of a label, and return the axes of each tensor that grow."""
    longer = {name: _longer(value, names.get(name, ()), label) for name, value in feeds.items()}
    try:
        found = run(longer)
    except ExecutionFailed:  # the model says that the axis is free, and is built for one extent
        return {}
    return {
        tensor: {axis for axis, (a, b) in enumerate(zip(value.shape, found[tensor].shape, strict=True)) if b > a}
        for tensor, value in base.items()
        if value.ndim == found[tensor].ndim
    }


def _longer(value: Array, labels: tuple[str, ...], label: str) -> Array:
    for axis, own in enumerate(labels):
        if own == label:
            value = np.concatenate([value, value.take([0], axis=axis)], axis=axis)
    return value


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


def _labels(tensor: str, shape: tuple[int, ...], changes: list[_Change], is_stepped: bool) -> Labels:
    found: dict[int, Axis] = {0: Axis.TIME} if is_stepped else {}
    for change in sorted(changes, key=lambda change: change.kind is None):
        kind = change.kind or (Axis.TIME if Axis.BATCH in found.values() else Axis.BATCH)
        if kind not in found.values():
            late, early = change.late.get(tensor, set()), change.early.get(tensor, set())
            confined = late if kind is Axis.TIME else late & early
            confined = change.grown.get(tensor) or confined
            # A bidirectional recurrence confines nothing: then the extent tells.
            alike = _of_extent(shape, change.extent) if kind is Axis.TIME else set()
            free = (confined or alike) - set(found)
            if free:
                found[min(free)] = kind
    return _by_custom(found, len(shape))


def _of_extent(shape: tuple[int, ...], extent: int) -> set[int]:
    """Return the axes of an extent: the last, which is usually features, only where no other has it."""
    found = {axis for axis in range(len(shape)) if shape[axis] == extent}
    return found - {len(shape) - 1} or found


def _by_custom(found: dict[int, Axis], rank: int) -> Labels:
    """Name the axes that are left: batch first, then time, and the last is features."""
    labels = dict(found)
    for kind, least in ((Axis.BATCH, 2), (Axis.TIME, 3)):
        free = [axis for axis in range(rank - 1) if axis not in labels]
        if kind not in labels.values() and rank >= least and free:
            labels[free[0]] = kind
    return tuple(labels.get(axis, Axis.FEATURE) for axis in range(rank))
