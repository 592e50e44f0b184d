"""A pass that replaces draws without spread by the constants that they are."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, graphs_of, replace_nodes
from dropaudit.graph.reading.random_types import NORMAL

# The operator CastLike is there since then.
_FIRST_TYPED = 15


def without_silent_draws(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace normal draws of standard deviation 0 by their mean: drawing one ends the runtime.

    RandomNormalLike<mean = 1, scale = 0>(x) -> n
    becomes      Shape(x) -> s ; ConstantOfShape<value = 1>(s) -> n
    """
    if not any(_is_silent(node) for graph, _ in graphs_of(model.graph) for node in graph.node):
        return model
    changed = copy_of(model)
    opset = max((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=1)
    for graph, _ in graphs_of(changed.graph):
        nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            nodes += _still(node, typed=opset >= _FIRST_TYPED) if _is_silent(node) else [node]
        replace_nodes(graph, nodes)
    return changed


def _is_silent(node: onnx.NodeProto) -> bool:
    drawn = node.op_type in NORMAL
    return drawn and any(attribute.name == "scale" and attribute.f == 0 for attribute in node.attribute)


def _still(node: onnx.NodeProto, *, typed: bool) -> list[onnx.NodeProto]:
    found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    dtype = helper.tensor_dtype_to_np_dtype(found.get("dtype", onnx.TensorProto.FLOAT))
    value = numpy_helper.from_array(np.array([found.get("mean", 0.0)], dtype=dtype))
    shape = f"{PREFIX}{node.name}/shape"
    if node.op_type == "RandomNormal":
        sizes = numpy_helper.from_array(np.array(found["shape"], dtype=np.int64), shape)
        first = helper.make_node("Constant", [], [shape], name=shape, value=sizes)
    else:
        first = helper.make_node("Shape", [node.input[0]], [shape], name=shape)
    if "dtype" in found or node.op_type == "RandomNormal" or not typed:
        return [first, helper.make_node("ConstantOfShape", [shape], list(node.output), name=node.name, value=value)]
    number = f"{PREFIX}{node.name}/number"
    # Without a type of its own it takes that of what it is shaped like.
    return [
        first,
        helper.make_node("ConstantOfShape", [shape], [number], name=number, value=value),
        helper.make_node("CastLike", [number, node.input[0]], list(node.output), name=node.name),
    ]
