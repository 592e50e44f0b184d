"""A batch that a model fixes, made free: ways that whoever draws replicates must try."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import onnx

from dropaudit.graph.passes.follow_batch import CHOICES, following
from dropaudit.graph.passes.free_axis import freed
from dropaudit.measure.case import Case
from dropaudit.runtime.replicates import Axes


def fixed_axes(case: Case) -> Iterator[Axes]:
    """Yield axes that may be a fixed batch: the first or second of the first input, and their like in the others."""
    arrays = {
        spec.name: case.model.arrays[spec.name].shape
        for spec in case.model.specs
        if spec.name in case.model.arrays and spec.name not in case.model.rates
    }
    first = next((shape for shape in arrays.values() if shape), ())
    for extent in dict.fromkeys(first[:2]):
        yield {name: shape.index(extent) for name, shape in arrays.items() if extent in shape}


class Freed(msgspec.Struct, frozen=True):
    """The measured model and the silent one with a batch of any extent."""

    proto: onnx.ModelProto
    silent: onnx.ModelProto


def ways_to_free(proto: onnx.ModelProto, silent: onnx.ModelProto, axes: Axes) -> Iterator[Freed]:
    """Yield the models with the axes free: as they are, then with constants that follow the batch."""
    yield Freed(freed(proto, axes), freed(silent, axes))
    tried: list[Freed] = []
    for choice in CHOICES:
        found = following(proto, axes, choice)
        if found is None:
            continue
        way = Freed(freed(found, axes), freed(following(silent, axes, choice) or silent, axes))
        if way not in tried:
            tried.append(way)
            yield way
