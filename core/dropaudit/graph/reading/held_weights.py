"""Large weights, held once: a model that is made of a model refers to them, and so do the sessions of both."""

from __future__ import annotations

import math
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
# Bytes of weights from which on sessions share them, a run is long enough for threads of its own, and what is copied
# on the way is given back at once; and of a file from which on its weights are taken out as it is read.
LARGE_WEIGHTS = 2**25
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
    return can_be_held(tensor, len(tensor.raw_data))


def is_large(size: int) -> bool:
    """Whether values that take `size` bytes are worth being held."""
    return size >= _LARGE


def can_be_held(tensor: onnx.TensorProto, size: int) -> bool:
    """Whether a tensor whose values take `size` bytes is large, and of a type that numpy has."""
    if not is_large(size):
        return False
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    # Other types are numpy's in name only.
    return kind.kind in "fiu" and kind.itemsize * math.prod(tensor.dims) == size


def _taken_out(tensor: onnx.TensorProto) -> Held:
    kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return hold(tensor, np.frombuffer(tensor.raw_data, dtype=kind).reshape(tuple(tensor.dims)))


def hold(tensor: onnx.TensorProto, values: NDArray[np.generic]) -> Held:
    """Let a tensor refer to its values, for as long as somebody has what is returned; the tensor is changed."""
    held = Held(values)
    location = f"{_PREFIX}{next(_numbers)}"
    _held[location] = held
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return held


def give_back_overridable(model: onnx.ModelProto) -> None:
    """Put values back into initializers that a caller may override: sessions take none of those from outside."""
    overridable = {value.name for value in model.graph.input}
    for tensor in model.graph.initializer:
        held = held_values(tensor) if tensor.name in overridable else None
        if held is not None:
            set_values(tensor, held.values.tobytes())


def set_values(tensor: onnx.TensorProto, values: bytes) -> None:
    """Give a tensor values of its own, in place of those that lie elsewhere."""
    tensor.ClearField("data_location")
    del tensor.external_data[:]
    tensor.raw_data = values


def held_values(tensor: onnx.TensorProto) -> Held | None:
    """Return the values that were taken out of a tensor; None where it has its own."""
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return None
    return next((_held.get(each.value) for each in tensor.external_data if each.key == "location"), None)


def weight_bytes(held: Iterable[Held]) -> int:
    """Return how many bytes weights take."""
    return sum(each.values.nbytes for each in held)


def held_in(tensors: Iterable[onnx.TensorProto]) -> dict[str, Held]:
    """Return what is held of tensors, by name."""
    found = ((tensor.name, held_values(tensor)) for tensor in tensors)
    return {name: held for name, held in found if held is not None}
