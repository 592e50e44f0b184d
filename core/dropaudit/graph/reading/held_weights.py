"""Large weights, held once: a model that is made of a model refers to them, and so do the sessions of both."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from weakref import WeakValueDictionary

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

# Bytes of weights from which on a model is worth it, and of a tensor that is taken out of it.
_LARGE_MODEL = 2**22
_LARGE = 2**14
# The location that a tensor of a model names for its values.
_PREFIX = "dropaudit-held-"


class Held:
    """The values of a tensor, for as long as this object lives."""

    def __init__(self, values: NDArray[np.generic]) -> None:
        self.values = values


_held: WeakValueDictionary[str, Held] = WeakValueDictionary()
_numbers = count()


def with_weights_held(model: onnx.ModelProto) -> tuple[Held, ...]:
    """Take large weights out of a model, where it has many; their values are known to `held_values`.

        float[1024,1024] w = {…}        becomes        float[1024,1024] w, external data at dropaudit-held-7

    The model is changed, since nobody wants its weights twice. What is returned must live as long as the model, and as
    what is made of it.
    """
    overridable = {value.name for value in model.graph.input}
    large = [each for each in model.graph.initializer if _is_plain(each) and each.name not in overridable]
    if sum(len(tensor.raw_data) for tensor in large) < _LARGE_MODEL:
        return ()
    return tuple(_taken_out(tensor) for tensor in large)


def _is_plain(tensor: onnx.TensorProto) -> bool:
    if len(tensor.raw_data) < _LARGE:
        return False
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    # Other types are numpy's in name only.
    return kind.kind in "fiu" and kind.itemsize * int(np.prod(tensor.dims)) == len(tensor.raw_data)


def _taken_out(tensor: onnx.TensorProto) -> Held:
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    held = Held(np.frombuffer(tensor.raw_data, dtype=kind).reshape(tuple(tensor.dims)))
    location = f"{_PREFIX}{next(_numbers)}"
    _held[location] = held
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return held


def held_values(tensor: onnx.TensorProto) -> Held | None:
    """Return the values that were taken out of a tensor; None where it has its own."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return None
    return next((_held.get(each.value) for each in tensor.external_data if each.key == "location"), None)


def held_in(tensors: Iterable[onnx.TensorProto]) -> dict[str, Held]:
    """Return what is held of tensors, by name."""
    found = ((tensor.name, held_values(tensor)) for tensor in tensors)
    return {name: held for name, held in found if held is not None}
