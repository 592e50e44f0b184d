"""Shapes that follow from a graph, in memory that is bounded beforehand."""

from __future__ import annotations

import math
from collections.abc import Iterable

import onnx

from dropaudit.graph.reading.messages import bodies

# Values that inference may carry along: a hundred bytes each at most.
_MOST_VALUES = 1 << 21
# Values of other types are never shapes, and inference leaves them where they are: large weights among them.
_CARRIED_TYPES = frozenset({onnx.TensorProto.INT32, onnx.TensorProto.INT64})
# Operators that values are carried through; all but Concat return no more elements than they take.
_CARRIERS = frozenset(
    {"Add", "Cast", "Concat", "Div", "Gather", "Identity", "Mul", "Reshape", "Slice", "Squeeze", "Sub", "Unsqueeze"}
)


def with_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy with the shapes that can be inferred; values of shapes are followed where those are few.

    A chain of Concats doubles what it takes at each step, and inference would write it all down.
    """
    return onnx.shape_inference.infer_shapes(model, data_prop=carried_values(model) <= _MOST_VALUES)


def carried_values(model: onnx.ModelProto) -> int:
    """Return how many values inference would carry along, at most."""
    sizes = {tensor.name: _elements(tensor) for tensor in model.graph.initializer}
    return sum(sizes.values()) + _carried(model.graph.node, sizes)


def _carried(nodes: Iterable[onnx.NodeProto], sizes: dict[str, int]) -> int:
    total = 0
    for node in nodes:
        for body in bodies(node):
            sizes |= {tensor.name: _elements(tensor) for tensor in body.initializer}
            total += _carried(body.node, sizes)
        made = _made(node, sizes)
        total += made
        for name in node.output:
            sizes[name] = max(made, sizes.get(name, 0))
    return total


def _made(node: onnx.NodeProto, sizes: dict[str, int]) -> int:
    taken = [sizes.get(name, 0) for name in node.input]
    if node.op_type == "Constant":
        return sum(max(_elements(each.t), len(each.ints), len(each.floats), 1) for each in node.attribute)
    if node.op_type in ("Shape", "Size"):
        return _LONGEST_SHAPE
    if node.op_type == "Concat":
        return sum(taken)
    return max(taken, default=0) if node.op_type in _CARRIERS else 0


# A tensor may have more dimensions, but none that is run has.
_LONGEST_SHAPE = 64


def _elements(tensor: onnx.TensorProto) -> int:
    return math.prod(tensor.dims) if tensor.data_type in _CARRIED_TYPES else 0
