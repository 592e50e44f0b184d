"""How much memory a run works on."""

from __future__ import annotations

import math
from collections.abc import Mapping

import onnx

from dropaudit.graph.shapes import with_shapes

# An LSTM keeps four gates beside what it returns, a GRU three.
_GATES = {"LSTM": 5, "GRU": 4}


def working_elements(model: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return how many numbers a run makes in the main graph, as far as shapes can be inferred.

    Args:
        model: the model.
        shapes: of what it is fed, by input.
    """
    fed = onnx.ModelProto()
    fed.CopyFrom(model)
    for value in fed.graph.input:
        if value.name in shapes:
            tensor = value.type.tensor_type
            del tensor.shape.dim[:]
            for extent in shapes[value.name]:
                tensor.shape.dim.add().dim_value = extent
    inferred = with_shapes(fed)
    known = {value.name: _size(value) for value in (*inferred.graph.value_info, *inferred.graph.output)}
    return sum(
        _GATES.get(node.op_type, 1) * max((known.get(name, 0) for name in node.output), default=0)
        for node in model.graph.node
    )


def _size(value: onnx.ValueInfoProto) -> int:
    """Return the number of elements of a tensor; 0 where an extent is not known."""
    return math.prod(dim.dim_value for dim in value.type.tensor_type.shape.dim)
