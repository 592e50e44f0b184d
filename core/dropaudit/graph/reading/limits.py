"""Limits of untrusted models, checked before any memory is allocated: a file of a few bytes can ask for everything."""

from __future__ import annotations

import math
from collections.abc import Iterable

import onnx
from onnx.external_data_helper import uses_external_data

from dropaudit.errors import InvalidModel
from dropaudit.graph.reading.functions import Name, function_name
from dropaudit.graph.reading.messages import bodies, every, every_node, every_tensor
from dropaudit.graph.reading.shapes import with_shapes

MOST_NODES = 50_000
# No protobuf may be larger.
MOST_BYTES = 2**31 - 1
DEEPEST = 16
DEEPEST_CALLS = 64
MOST_ELEMENTS = 2**30
# The least extent of a free dimension; the actual one is known once the model is fed.
_FREE = 1
# Constants that may be a shape take part in the search for sizes; weights need not.
_LARGEST_SHAPE = 64
# Operators that read files, load libraries or call back into Python, in builds of the runtime that have them.
_OUTSIDE = {
    ("com.microsoft", "EPContext"),
    ("com.microsoft", "Snpe"),
    ("com.microsoft", "PythonOp"),
    ("com.microsoft", "PythonOpGrad"),
    ("com.microsoft", "TritonOp"),
    ("com.microsoft", "ATen"),
}
_OUTSIDE_DOMAINS = {"org.pytorch.aten", "trt.plugins"}


def check_limits(model: onnx.ModelProto) -> None:
    """Raise InvalidModel for what lies outside the file, too many nodes, too deep bodies and too large tensors."""
    for nodes in (model.graph.node, *(function.node for function in model.functions)):
        _check_depth(nodes)
    _check_expanded(model)
    tensors = list(every_tensor(model))
    _check_inside(tensors, every_node(model))
    for tensor in tensors:
        _check_size(tensor.name, tensor.dims)
    _check_total(sum(map(_elements, tensors)))
    for value in model.graph.input:
        _check_size(value.name, _dims(value))
    for value in _inferred(model):
        _check_size(value.name, _dims(value))


def _check_inside(tensors: Iterable[onnx.TensorProto], nodes: Iterable[onnx.NodeProto]) -> None:
    """Raise InvalidModel for whatever the runtime would look for outside the file."""
    for tensor in tensors:
        if uses_external_data(tensor) or tensor.external_data:
            raise InvalidModel(
                f"the weights of {tensor.name!r} are not in the file; save the model as one file, with its external "
                "data inside"
            )
    for node in nodes:
        if (node.domain, node.op_type) in _OUTSIDE or node.domain in _OUTSIDE_DOMAINS:
            raise InvalidModel(
                f"operator {node.domain}.{node.op_type} runs what lies outside the file; save the model as plain ONNX"
            )


def _check_size(name: str, dims: Iterable[int]) -> None:
    found = list(dims)
    if any(dim < 0 for dim in found) or math.prod(found) > MOST_ELEMENTS:
        shape = "x".join(map(str, found))
        raise InvalidModel(
            f"tensor {name!r} would have the shape {shape}; at most {MOST_ELEMENTS} elements can be audited"
        )


def _check_total(elements: int) -> None:
    if elements > MOST_ELEMENTS:
        raise InvalidModel(f"the model's weights have {elements} elements; at most {MOST_ELEMENTS} can be had")


def _elements(tensor: onnx.TensorProto) -> int:
    return math.prod(tensor.dims)


def _dims(value: onnx.ValueInfoProto) -> list[int]:
    tensor = value.type.tensor_type
    return [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else _FREE for dim in tensor.shape.dim]


def _check_depth(nodes: Iterable[onnx.NodeProto], depth: int = 1) -> None:
    for node in nodes:
        for body in bodies(node):
            if depth == DEEPEST:
                raise InvalidModel(f"bodies of operators lie in each other more than {DEEPEST} deep")
            _check_depth(body.node, depth + 1)


def _check_expanded(model: onnx.ModelProto) -> None:
    """Raise InvalidModel for a model that is too large once every function is put where it is called.

    Functions that call functions can ask for any number with a few lines, and for no end by calling themselves.
    """
    sizes = _Sizes(model.functions)
    nodes, content = sizes.of(model.graph.node)
    if nodes > MOST_NODES:
        raise InvalidModel(
            f"the model has {nodes} operators with its functions expanded; at most {MOST_NODES} can be audited"
        )
    if content > MOST_BYTES:
        raise InvalidModel(
            f"the model has {content} bytes with its functions expanded; at most {MOST_BYTES} can be had"
        )


class _Sizes:
    """How many operators there are in functions, and bytes in those, functions that they call included."""

    def __init__(self, functions: Iterable[onnx.FunctionProto]) -> None:
        self._functions = {function_name(function): function for function in functions}
        self._found: dict[Name, tuple[int, int]] = {}
        self._under_way: list[Name] = []

    def of(self, nodes: Iterable[onnx.NodeProto]) -> tuple[int, int]:
        """Return operators and bytes of a list of nodes."""
        count = content = 0
        for node in nodes:
            called = self._functions.get(function_name(node))
            inner = [self.of(body.node) for body in bodies(node)]
            inner.append((1, node.ByteSize()) if called is None else self._called(called, node))
            count += sum(each for each, _ in inner)
            content += sum(each for _, each in inner)
        return count, content

    def _called(self, function: onnx.FunctionProto, node: onnx.NodeProto) -> tuple[int, int]:
        count, content = self._in(function_name(function))
        # What it is called with may stand wherever the body refers to an attribute.
        return count, content + node.ByteSize() * _references(function)

    def _in(self, name: Name) -> tuple[int, int]:
        if name in self._under_way:
            raise InvalidModel(f"function {name[1]!r} calls itself")
        if len(self._under_way) == DEEPEST_CALLS:
            raise InvalidModel(f"functions call each other more than {DEEPEST_CALLS} deep")
        if name not in self._found:
            function = self._functions[name]
            self._under_way.append(name)
            count, content = self.of(function.node)
            self._under_way.pop()
            defaults = sum(default.ByteSize() for default in function.attribute_proto)
            self._found[name] = count, content + defaults * _references(function)
        return self._found[name]


def _references(function: onnx.FunctionProto) -> int:
    return sum(bool(each.ref_attr_name) for each in every(onnx.AttributeProto, function))


def _inferred(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Return what is known of sizes before anything runs; the weights stay out of it."""
    skeleton = onnx.ModelProto()
    skeleton.CopyFrom(_without_weights(model))
    try:
        found = with_shapes(skeleton)
    except Exception:  # the checks that follow say better what is wrong with a graph
        return []
    return list(found.graph.value_info)


def _without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose weights are inputs of their types and shapes; small ones stay, since they may be shapes."""
    graph = onnx.GraphProto(name=model.graph.name)
    graph.input.extend(model.graph.input)
    graph.output.extend(model.graph.output)
    graph.node.extend(model.graph.node)
    known = {value.name for value in model.graph.input}
    for tensor in model.graph.initializer:
        if _elements(tensor) <= _LARGEST_SHAPE:
            graph.initializer.append(tensor)
        elif tensor.name not in known:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return onnx.ModelProto(ir_version=model.ir_version, graph=graph, opset_import=model.opset_import)
