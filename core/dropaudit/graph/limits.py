"""What a model may ask for, looked at before anything is made of it: a file of a few bytes can ask for everything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache

import onnx
from onnx.external_data_helper import uses_external_data

from dropaudit.errors import InvalidModel

MOST_NODES = 50_000
DEEPEST = 16
MOST_ELEMENTS = 2**30
# What a free dimension has at least; what it has is known once the model is fed.
_FREE = 1
# Constants that may be a shape take part in the search for sizes; weights need not.
_LARGEST_SHAPE = 64


def check_limits(model: onnx.ModelProto) -> None:
    """Raise InvalidModel for external data, too many nodes, too deep bodies and too large tensors."""
    tensors = list(every_tensor(model))
    for tensor in tensors:
        if uses_external_data(tensor):
            raise InvalidModel(
                f"the weights of {tensor.name!r} are not in the file; save the model as one file, with its external "
                "data inside"
            )
        _check_size(tensor.name, tensor.dims)
    _check_total(sum(map(_elements, tensors)))
    nodes = _expanded_nodes(model)
    if nodes > MOST_NODES:
        raise InvalidModel(
            f"the model has {nodes} operators with its functions expanded; at most {MOST_NODES} can be audited"
        )
    for value in model.graph.input:
        _check_size(value.name, _dims(value))
    for value in _inferred(model):
        _check_size(value.name, _dims(value))


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


def _nodes(nodes: Iterable[onnx.NodeProto], depth: int = 1) -> Iterator[onnx.NodeProto]:
    """Yield operators and those of their bodies. Raises InvalidModel where those lie too deep."""
    for node in nodes:
        yield node
        for body in _bodies(node):
            if depth == DEEPEST:
                raise InvalidModel(f"bodies of operators lie in each other more than {DEEPEST} deep")
            yield from _nodes(body.node, depth + 1)


def _bodies(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def every_tensor(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield the tensors of a model: weights and attributes, in bodies and functions too. Raises InvalidModel."""
    yield from _weights(model.graph)
    lists = [model.graph.node, *(function.node for function in model.functions)]
    for node in (node for nodes in lists for node in _nodes(nodes)):
        for body in _bodies(node):
            yield from _weights(body)
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)


def _weights(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)


def _expanded_nodes(model: onnx.ModelProto) -> int:
    """Return how many operators there are once every function is put where it is called.

    Functions that call functions can ask for any number with a few lines, and for no end by calling themselves.
    """
    functions = {(each.domain, each.name): each for each in model.functions}
    under_way: set[tuple[str, str]] = set()

    @cache
    def size(name: tuple[str, str]) -> int:
        if name in under_way:
            raise InvalidModel(f"function {name[1]!r} calls itself")
        under_way.add(name)
        found = sum(count(node) for node in functions[name].node)
        under_way.discard(name)
        return found

    def count(node: onnx.NodeProto) -> int:
        name = (node.domain, node.op_type)
        own = size(name) if name in functions else 1
        return own + sum(count(each) for body in _bodies(node) for each in body.node)

    return sum(count(node) for node in model.graph.node)


def _inferred(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """Return what is known of sizes before anything runs; the weights stay out of it."""
    skeleton = onnx.ModelProto()
    skeleton.CopyFrom(_without_weights(model))
    try:
        found = onnx.shape_inference.infer_shapes(skeleton, data_prop=True)
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
