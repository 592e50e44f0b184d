"""A pass that cuts a model at its first random operators: what lies before them is the same in every replicate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import helper

from dropaudit.graph.rewrite import graphs_of
from dropaudit.graph.scope import Scope, bodies_of, main_scope, reads

_RANDOM = frozenset({"RandomUniform", "RandomUniformLike", "RandomNormal", "RandomNormalLike", "Bernoulli", "Dropout"})
_FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE})


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a model that randomness reaches.

    Attributes:
        model: from the frontier to the outputs that randomness reaches.
        frontier: floating-point tensors that the part before makes, and this part takes as inputs.
        fixed: outputs that randomness does not reach.
        types: element types of the tensors, as far as they can be inferred.
    """

    model: onnx.ModelProto
    frontier: tuple[str, ...]
    fixed: tuple[str, ...]
    types: Mapping[str, int]


def cut_at_randomness(model: onnx.ModelProto, outputs: Sequence[str]) -> Cut | None:
    """Leave out all that comes before the first random operator; None where there is nothing to leave out.

        LSTM(x) -> h ; Dropout(h) -> d ; MatMul(d, W) -> y      becomes, with frontier h,
        Dropout(h) -> d ; MatMul(d, W) -> y

    Integers and truth values are computed anew: shapes among them change with the batch.

    Args:
        model: the model; its nodes are named.
        outputs: the outputs that are needed.
    """
    scope = main_scope(model)
    random = _reached_by_randomness(scope)
    types = _types(model)
    drawn = [name for name in outputs if name in random]
    fixed = tuple(name for name in outputs if name not in random)
    frontier = _frontier(scope, drawn, random, types)
    if not drawn or not (frontier or fixed):
        return None
    return Cut(_between(scope, model, frontier, drawn, types), frontier, fixed, types)


def beyond(
    model: onnx.ModelProto, frontier: Sequence[str], outputs: Sequence[str], types: Mapping[str, int]
) -> onnx.ModelProto:
    """Return the part of a model between a frontier and outputs: what is needed for them and not before it.

    Args:
        model: the model.
        frontier: tensors that become inputs.
        outputs: the outputs that are needed.
        types: element types of the frontier; a tensor without one is taken for single precision.
    """
    return _between(main_scope(model), model, frontier, outputs, types)


def _between(
    scope: Scope, model: onnx.ModelProto, frontier: Sequence[str], outputs: Sequence[str], types: Mapping[str, int]
) -> onnx.ModelProto:
    nodes, read = _needed(scope, outputs, set(frontier))
    kept = [value for value in model.graph.input if value.name in read]
    taken = [helper.make_tensor_value_info(name, types.get(name, onnx.TensorProto.FLOAT), None) for name in frontier]
    graph = helper.make_graph(
        [node for node in model.graph.node if node.name in nodes],
        model.graph.name or "part",
        [*kept, *(value for value in taken if value.name in read)],
        [value for value in model.graph.output if value.name in outputs],
        [tensor for tensor in model.graph.initializer if tensor.name in read],
    )
    part = onnx.ModelProto()
    part.CopyFrom(model)
    part.graph.CopyFrom(graph)
    return part


def _reached_by_randomness(scope: Scope) -> set[str]:
    """Return the tensors that random operators make or touch."""
    reached: set[str] = set()
    for node in scope.graph.node:
        if _draws(node) or any(name in reached for name in reads(node)):
            reached |= {name for name in node.output if name}
    return reached


def _draws(node: onnx.NodeProto) -> bool:
    inner = (each for _, body in bodies_of(node) for graph, _ in graphs_of(body) for each in graph.node)
    return node.op_type in _RANDOM or any(each.op_type in _RANDOM for each in inner)


def _frontier(scope: Scope, outputs: Iterable[str], random: set[str], types: dict[str, int]) -> tuple[str, ...]:
    """Walk back from the outputs to the first floating-point tensors that randomness does not reach."""
    found: dict[str, None] = {}
    waiting, seen = list(outputs), set()
    while waiting:
        name = waiting.pop()
        node = scope.producers.get(name)
        if name in seen or node is None:
            continue
        seen.add(name)
        if name not in random and name not in scope.constants and types.get(name) in _FLOATS:
            found[name] = None
        else:
            waiting += reads(node)
    return tuple(found)


def _needed(scope: Scope, outputs: Iterable[str], frontier: set[str]) -> tuple[set[str], set[str]]:
    """Return the names of the nodes between the frontier and the outputs, and of all tensors that they read."""
    nodes: set[str] = set()
    read: set[str] = set(outputs)
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        node = scope.producers.get(name)
        if name in frontier or node is None or node.name in nodes:
            continue
        nodes.add(node.name)
        inputs = reads(node)
        read |= set(inputs)
        waiting += inputs
    return nodes, read


def _types(model: onnx.ModelProto) -> dict[str, int]:
    """Return the element types of the main graph's tensors, as far as they can be inferred."""
    inferred = onnx.shape_inference.infer_shapes(model)
    values = (*inferred.graph.value_info, *inferred.graph.output, *inferred.graph.input)
    return {value.name: value.type.tensor_type.elem_type for value in values}
