"""How much a run computes: what its place is chosen by."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
import onnx

from dropaudit.graph.reading.shapes import with_shapes

# Gates of a recurrent operator.
_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
# Steps of a Loop, whose number no shape tells.
_STEPS_OF_LOOP = 16

Shapes = Mapping[str, tuple[int, ...]]


class Work(msgspec.Struct, frozen=True):
    """The work of one run of a model, as far as shapes can be inferred.

    Attributes:
        operators: nodes that are run, those of a body once for each step.
        products: multiplications that are added up, in matrix products, convolutions and recurrences.
        elements: numbers that are made.
    """

    operators: int
    products: float
    elements: int


def shapes_of(model: onnx.ModelProto, feeds: Shapes) -> dict[str, tuple[int, ...]]:
    """Infer the shapes of a model's tensors.

    Args:
        model: the model.
        feeds: shapes of its inputs.

    Returns:
        By name; an extent that is not known is 0. Constants are among them.
    """
    fed = onnx.ModelProto()
    fed.CopyFrom(model)
    for value in fed.graph.input:
        if value.name in feeds:
            shape = value.type.tensor_type.shape
            del shape.dim[:]
            for extent in feeds[value.name]:
                shape.dim.add().dim_value = extent
    declared = _declared(fed.graph)
    # A name of an extent, once declared, is kept: then what is fed would not be known further on.
    del fed.graph.value_info[:]
    for value in fed.graph.output:
        value.type.tensor_type.ClearField("shape")
    graph = with_shapes(fed).graph
    return declared | _declared(graph) | {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}


def _declared(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.input, *graph.output)
        if value.type.tensor_type.HasField("shape")
    }


def work_of(model: onnx.ModelProto, feeds: Shapes) -> Work:
    """Return what a run does that is fed tensors of these shapes."""
    return _of_graph(model.graph, shapes_of(model, feeds), steps=1)


def _of_graph(graph: onnx.GraphProto, shapes: Shapes, steps: int) -> Work:
    operators, products, elements = steps * len(graph.node), 0.0, 0
    for node in graph.node:
        products += steps * _products(node, shapes)
        elements += steps * max((math.prod(shapes.get(name, (0,))) for name in node.output), default=0)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                inner = _of_graph(attribute.g, shapes, steps * _steps(node, shapes))
                operators, products, elements = (
                    operators + inner.operators,
                    products + inner.products,
                    elements + inner.elements,
                )
    return Work(operators, products, elements)


def _steps(node: onnx.NodeProto, shapes: Shapes) -> int:
    if node.op_type == "Scan":
        return max(1, next((shapes[name][0] for name in reversed(node.input) if shapes.get(name)), 1))
    return _STEPS_OF_LOOP if node.op_type == "Loop" else 1


def _products(node: onnx.NodeProto, shapes: Shapes) -> float:
    """Return the multiplications that one run of a node adds up; 0 where it adds up none, or shapes are not known."""
    given = [shapes.get(name, ()) for name in node.input]
    made = math.prod(shapes.get(node.output[0], (0,)))
    if node.op_type in _GATES and len(given) > 2 and len(given[0]) == len(given[2]) == 3:
        steps, batch, features = given[0]
        directions, gates, hidden = given[2]
        return float(steps * batch * directions * gates * (features + hidden))
    if node.op_type in ("MatMul", "Gemm", "MatMulInteger") and given[0]:
        return float(made * given[0][-1])
    if node.op_type == "Conv" and len(given) > 1:
        return float(made * math.prod(given[1][1:]))
    return 0.0
