"""A pass that ends external data: large weights are referred to where they are in memory, all else is taken in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import onnx
from onnx import helper
from onnx.external_data_helper import uses_external_data

from dropaudit.errors import InvalidModel
from dropaudit.files.data_files import DataFile
from dropaudit.graph.reading.external.places import Place, place_of
from dropaudit.graph.reading.held_weights import Held, can_be_held, hold, set_values
from dropaudit.graph.reading.limits import MOST_BYTES
from dropaudit.graph.reading.messages import every_tensor

# Values by the name of a large weight of the main graph.
Detached = Mapping[str, memoryview]


def external_tensors(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Return the tensors, wherever the format has room for one, whose values lie in other files."""
    return [tensor for tensor in every_tensor(model) if uses_external_data(tensor) or tensor.external_data]


def take_in(model: onnx.ModelProto, data: Mapping[str, DataFile], most: int = MOST_BYTES) -> None:
    """Put all external data into a model, which is changed.

    Raises:
        InvalidModel: a place lies outside the files, or all of it is more than `most` bytes.
        UnreadableFile: a file cannot be read.
    """
    _take_in(model, external_tensors(model), _Contents(data), most)


def detach(model: onnx.ModelProto, data: Mapping[str, DataFile], most: int = MOST_BYTES) -> Detached:
    """Put external data into a model, but for large weights of the main graph, which have no values afterwards.

        float[4096,4096] w = (external: w.bin)        becomes        float[4096,4096] w, and its values are returned

    What `attach` does later makes the model whole again. Raises as `take_in` does.
    """
    contents = _Contents(data)
    times = Counter(tensor.name for tensor in model.graph.initializer)
    found = {}
    for tensor in (each for each in model.graph.initializer if uses_external_data(each) and times[each.name] == 1):
        place = place_of(tensor)
        if can_be_held(tensor, place.size):
            found[tensor.name] = contents.at(tensor, place)
            set_values(tensor, b"")
    _take_in(model, external_tensors(model), contents, most)
    return found


def attach(model: onnx.ModelProto, found: Detached) -> tuple[Held, ...]:
    """Let weights of the main graph refer to their values; what is returned must live as long as the model."""
    return tuple(_attached(each, found[each.name]) for each in model.graph.initializer if each.name in found)


def _attached(tensor: onnx.TensorProto, content: memoryview) -> Held:
    values = np.frombuffer(content, helper.tensor_dtype_to_np_dtype(tensor.data_type)).reshape(tuple(tensor.dims))
    return hold(tensor, values if values.flags.aligned else values.copy())


def _take_in(model: onnx.ModelProto, tensors: Iterable[onnx.TensorProto], contents: _Contents, most: int) -> None:
    places = [(tensor, place_of(tensor)) for tensor in tensors]
    size = model.ByteSize() + sum(place.size for _, place in places)
    if size > most:
        raise InvalidModel(
            f"{size} bytes would lie in the graph itself: weights in bodies and functions, that may be fed, or of "
            f"types that are not numpy's; at most {most} can be had"
        )
    for tensor, place in places:
        set_values(tensor, bytes(contents.at(tensor, place)))


class _Contents:
    """Files, each read once."""

    def __init__(self, data: Mapping[str, DataFile]) -> None:
        self._data = data
        self._read: dict[str, memoryview] = {}

    def at(self, tensor: onnx.TensorProto, place: Place) -> memoryview:
        """Return the bytes at a place. Raises InvalidModel where no file has it, UnreadableFile."""
        file = self._data.get(place.name)
        if file is None:
            raise InvalidModel(
                f"the weights of {tensor.name!r} lie in {place.name!r}, which is not there; bring it with the model"
            )
        if place.offset + place.size > file.size:
            raise InvalidModel(
                f"the weights of {tensor.name!r} lie at bytes {place.offset} to {place.offset + place.size} of "
                f"{place.name!r}, which has {file.size}; bring the whole file"
            )
        if place.name not in self._read:
            self._read[place.name] = file.content()
        return self._read[place.name][place.offset : place.offset + place.size]
