"""Counters that work where the replicates lie: a graph of operators on any device, and kernels of our own on CUDA."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import numpy as np
import onnxruntime

from dropaudit.graph.passes.reductions import MaskPlace, reductions
from dropaudit.runtime.cuda import Kernels
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Reduction, Weighed
from dropaudit.runtime.session import Session, Tensors
from dropaudit.stats.ratios import smallest_input
from dropaudit.subjects import Array

OnDevice = dict[str, onnxruntime.OrtValue]
_LIMIT = smallest_input(np.dtype(np.float32))
# By how much the mean factor of a replicate may leave the factors that were seen one by one: sums of 2^24 numbers.
_MEAN_PRECISION = 1e-4


class ReplicateLayout(msgspec.Struct, frozen=True):
    """Where the replicates of a tensor lie: between `before` and `after` other elements."""

    before: int
    after: int

    @property
    def elements(self) -> int:
        """Numbers that one replicate has."""
        return self.before * self.after


class Counter(Protocol):
    """Reduces a piece of replicates to counts, by `name/count`.

    after/kept, after/cells, after/strange       shape (K,); strange is what is not finite or has no positive factor
    after/lowest, after/highest                  factors on kept elements, shape (K,); infinite where nothing is kept
    output/projections, output/zeros             <y_t, weights>, and zeros where y_ref tells, shape (K,)
    output/products                              y * weights summed over replicates, by step, shape (Q,)
    """

    def count(self, reduction: Reduction, drawn: OnDevice, size: int) -> Tensors:
        """Count `size` replicates."""
        ...

    extents: Mapping[str, ReplicateLayout]

    def reaches(self, extent: ReplicateLayout, elements: int) -> bool:
        """Whether the first elements of a tensor can be had without the rest."""
        ...

    def first(self, value: onnxruntime.OrtValue, name: str, size: int, replicates: int, elements: int) -> Array:
        """Return the first elements of the first of `size` replicates of a tensor, shape (replicates, elements)."""
        ...


@dataclass(slots=True)
class Constants:
    """Tensors that are the same in all replicates, sent to a device once, whatever names they have."""

    device: str
    _sent: OnDevice = field(default_factory=dict)
    # By the identity of an array, which is kept, so that no other gets it.
    _arrays: dict[int, tuple[Array, onnxruntime.OrtValue]] = field(default_factory=dict)
    _informative: dict[str, int] = field(default_factory=dict)

    def sent(self, name: str, value: Array) -> onnxruntime.OrtValue:
        """Return an array on the device; under one name it is always the same."""
        if name not in self._sent:
            if id(value) not in self._arrays:
                self._arrays[id(value)] = value, on_device(value, self.device)
            self._sent[name] = self._arrays[id(value)][1]
        return self._sent[name]

    def informative(self, name: str, divisor: Array) -> int:
        """Return how many elements of a divisor tell something."""
        if name not in self._informative:
            self._informative[name] = int(np.count_nonzero(np.isfinite(divisor)))
        return self._informative[name]


def on_device(value: Array, device: str) -> onnxruntime.OrtValue:
    """Send an array to a device, as the runtime names it."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value), device, 0)


@dataclass(slots=True)
class GraphCounter:
    """Counts by a graph of operators.

    Factors are summed, not compared: their mean must lie among those that were looked at one by one.
    """

    place: Device
    seeds: np.random.Generator
    constants: Constants
    extents: Mapping[str, ReplicateLayout]
    _sessions: dict[tuple[str, ...], Session] = field(default_factory=dict, init=False)
    _divisors: Tensors = field(default_factory=dict, init=False)

    def count(self, reduction: Reduction, drawn: OnDevice, size: int) -> Tensors:
        """See Counter."""
        session = self._session(reduction)
        found = session.run_bound(self._inputs(reduction, drawn, size), session.output_names, "cpu")
        raw = {name: value.numpy() for name, value in found.items()}
        counts: Tensors = {}
        for mask in reduction.masks:
            counts |= self._of_mask(mask, reduction, raw)
        for name in reduction.outputs:
            counts |= self._of_output(name, reduction, raw)
        return counts

    def reaches(self, extent: ReplicateLayout, elements: int) -> bool:
        """See Counter. Not here: factors must have been looked at before they are summed."""
        return False

    def first(self, value: onnxruntime.OrtValue, name: str, size: int, replicates: int, elements: int) -> Array:
        """See Counter."""
        raise NotImplementedError

    def _session(self, reduction: Reduction) -> Session:
        key = (*(mask.after for mask in reduction.masks), "", *reduction.outputs)
        if key not in self._sessions:
            model = reductions(reduction.masks, tuple(reduction.outputs))
            self._sessions[key] = Session(model, self.place, self.seeds, reseeds=False)
        return self._sessions[key]

    def _inputs(self, reduction: Reduction, drawn: OnDevice, size: int) -> dict[str, Any]:
        inputs: dict[str, Any] = {name: drawn[name] for name in reduction.tensors}
        for name in reduction.tensors:
            extent = self.extents[name]
            inputs[f"{name}/shape"] = _integers(extent.before, size, extent.after)
        for mask in reduction.masks:
            if mask.is_fixed:
                self._send(inputs, f"{mask.before}/fixed", self._divisor(reduction, mask), self.extents[mask.after])
        for name, output in reduction.outputs.items():
            extent, stretch = self.extents[name], self._stretch(name, output.fold)
            self._send(inputs, f"{name}/reference", output.weights, extent)
            self._send(inputs, f"{name}/divisor", output.divisor, extent)
            inputs[f"{name}/stretches"] = _integers(-1, stretch)
            inputs[f"{name}/blocks"] = _integers(extent.before, size, extent.after // stretch)
        return inputs

    def _send(self, inputs: dict[str, Any], name: str, value: Array, extent: ReplicateLayout) -> None:
        inputs[name] = self.constants.sent(name, value.reshape(extent.before, 1, extent.after))

    def _divisor(self, reduction: Reduction, mask: MaskPlace) -> Array:
        name = f"{mask.before}/fixed"
        if name not in self._divisors:
            self._divisors[name] = divisor_of(reduction.fixed[mask.before])
        return self._divisors[name]

    def _stretch(self, name: str, fold: tuple[int, int, int]) -> int:
        """Return how many elements that lie together belong to one step."""
        return math.gcd(fold[2], self.extents[name].after)

    def _of_mask(self, mask: MaskPlace, reduction: Reduction, raw: Tensors) -> Tensors:
        name, elements = mask.after, self.extents[mask.after].elements
        kept = elements - raw[f"{name}/dropped"].astype(np.int64)
        if mask.is_fixed:
            divisor = self._divisor(reduction, mask)
            cells = np.full(len(kept), self.constants.informative(f"{mask.before}/fixed", divisor))
        else:
            cells = elements - raw[f"{name}/uninformative"].astype(np.int64)
        lowest, highest = reduction.seen[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = raw[f"{name}/total"] / kept
        known = (mean >= lowest * (1 - _MEAN_PRECISION)) & (mean <= highest * (1 + _MEAN_PRECISION))
        fine = np.where(kept > 0, known & (lowest > 0), raw[f"{name}/total"] == 0)
        found = {"kept": kept, "cells": cells, "strange": (~fine).astype(np.int64)}
        found["lowest"] = np.where(kept > 0, lowest, np.inf)
        found["highest"] = np.where(kept > 0, highest, -np.inf)
        return {f"{name}/{part}": value for part, value in found.items()}

    def _of_output(self, name: str, reduction: Reduction, raw: Tensors) -> Tensors:
        grid, output = raw[f"{name}/grid"].astype(np.float64), reduction.outputs[name]
        fold = output.fold
        steps = grid.sum(axis=1).reshape(fold[0], fold[1], fold[2] // self._stretch(name, fold))
        uninformative = output.divisor.size - self.constants.informative(f"{name}/divisor", output.divisor)
        return {
            f"{name}/projections": grid.sum(axis=(0, 2)),
            f"{name}/products": steps.sum(axis=(0, 2)),
            f"{name}/zeros": raw[f"{name}/zeros"].astype(np.int64) - uninformative,
        }


def _integers(*values: int) -> Array:
    return np.array(values, dtype=np.int64)


def divisor_of(before: Array) -> Array:
    """Return an input of all replicates, infinite where it tells nothing."""
    informative = np.isfinite(before) & (np.abs(before) > _LIMIT)
    return before if informative.all() else np.where(informative, before, np.asarray(np.inf, dtype=before.dtype))


# How many replicates a thread sums up: enough blocks for every core of a device, and few additions of the same number.
_FEW = 64
# Elements that a thread looks at where there are many, and blocks below which it looks at fewer.
_ROUNDS = 32
_BLOCKS = 8192
_THREADS = 256
# Copies of what lies together.
_MOST_COPIES = 256


@dataclass(slots=True)
class FusedCounter:
    """Counts by kernels that read each tensor once, or twice for outputs."""

    kernels: Kernels
    constants: Constants
    extents: Mapping[str, ReplicateLayout]

    def count(self, reduction: Reduction, drawn: OnDevice, size: int) -> Tensors:
        """See Counter."""
        lengths = [5 * size for _ in reduction.masks]
        lengths += [2 * size + output.fold[1] for output in reduction.outputs.values()]
        found = onnxruntime.OrtValue.ortvalue_from_shape_and_type([sum(lengths)], np.int64, self.constants.device, 0)
        self.kernels.clear(found.data_ptr(), 8 * sum(lengths))
        starts = [found.data_ptr() + 8 * sum(lengths[:place]) for place in range(len(lengths))]
        for mask, start in zip(reduction.masks, starts, strict=False):
            self._mask(mask, reduction, drawn, size, start)
        for name, start in zip(reduction.outputs, starts[len(reduction.masks) :], strict=True):
            self._output(name, reduction.outputs[name], drawn, size, start)
        parts = np.split(found.numpy(), np.cumsum(lengths)[:-1])
        counts: Tensors = {}
        for mask, part in zip(reduction.masks, parts, strict=False):
            counts |= {f"{mask.after}/{name}": value for name, value in _of_mask(part.reshape(5, size)).items()}
        for name, part in zip(reduction.outputs, parts[len(reduction.masks) :], strict=True):
            counts[f"{name}/projections"] = part[:size].view(np.float64)
            counts[f"{name}/zeros"] = part[size : 2 * size]
            counts[f"{name}/products"] = part[2 * size :].view(np.float64)
        return counts

    def _mask(self, mask: MaskPlace, reduction: Reduction, drawn: OnDevice, size: int, found: int) -> None:
        extent = self.extents[mask.after]
        if mask.is_fixed:
            before = self.constants.sent(f"{mask.before}/fixed", reduction.fixed[mask.before])
        else:
            before = drawn[mask.before]
        arguments = [_pointer(before.data_ptr()), _pointer(drawn[mask.after].data_ptr())]
        arguments += [ctypes.c_int(mask.is_fixed), *_extents(extent, size), ctypes.c_float(_LIMIT), _pointer(found)]
        self.kernels.launch(f"mask{_width(extent)}", _blocks(extent, size), arguments)

    def _output(self, name: str, output: Weighed, drawn: OnDevice, size: int, found: int) -> None:
        extent = self.extents[name]
        values = _pointer(drawn[name].data_ptr())
        weights = _pointer(self.constants.sent(f"{name}/reference", output.weights).data_ptr())
        width, shape = _width(extent), _extents(extent, size)
        results = [_pointer(found), _pointer(found + 8 * size)]
        limit = ctypes.c_float(output.weight_limit)
        self.kernels.launch(f"rows{width}", _blocks(extent, size), [values, weights, *shape, limit, *results])
        steps = [ctypes.c_uint(each) for each in (_FEW, *output.fold[1:])]
        blocks = (-(-extent.elements // (_THREADS * width)), -(-size // _FEW))
        self.kernels.launch(f"columns{width}", blocks, [values, weights, *shape, *steps, _pointer(found + 16 * size)])

    def reaches(self, extent: ReplicateLayout, elements: int) -> bool:
        """See Counter."""
        return elements <= _MOST_COPIES * extent.after

    def first(self, value: onnxruntime.OrtValue, name: str, size: int, replicates: int, elements: int) -> Array:
        """See Counter. Each stretch of replicates that lie together is copied alone, or its first elements are."""
        extent = self.extents[name]
        width = min(elements, extent.after)
        found = np.empty((-(-elements // extent.after), replicates, width), dtype=np.float32)
        for place, part in enumerate(found):
            start = value.data_ptr() + 4 * place * size * extent.after
            if width == extent.after:
                self.kernels.copy(start, part)
            else:
                for number, row in enumerate(part):
                    self.kernels.copy(start + 4 * number * extent.after, row)
        return np.moveaxis(found, 1, 0).reshape(replicates, -1)[:, :elements]


def _pointer(address: int) -> Any:
    return ctypes.c_void_p(address)


def _extents(extent: ReplicateLayout, size: int) -> list[Any]:
    return [ctypes.c_uint(each) for each in (extent.before, size, extent.after)]


def _width(extent: ReplicateLayout) -> int:
    """Return how many elements are read at once."""
    return 1 if extent.after % 4 else 4


def _blocks(extent: ReplicateLayout, size: int) -> tuple[int, int]:
    blocks = -(-extent.elements // (_THREADS * _width(extent)))
    rounds = max(1, min(_ROUNDS, blocks * size // _BLOCKS))
    return -(-blocks // rounds), size


def _of_mask(part: Array) -> Tensors:
    """Read what the kernel found; factors come as their bits, the smallest taken from the largest number."""
    kept, cells, strange, highest, lowest = part
    largest, smallest = highest.astype(np.uint32), ~lowest.astype(np.uint32)
    return {
        "kept": kept,
        "cells": cells,
        "strange": strange,
        "lowest": np.where(lowest > 0, smallest.view(np.float32), np.inf),
        "highest": np.where(lowest > 0, largest.view(np.float32), -np.inf),
    }
