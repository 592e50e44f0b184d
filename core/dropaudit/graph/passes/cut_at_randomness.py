"""A pass that cuts a model at its first random operators: what lies before them is the same in every replicate."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
import onnx
from onnx import helper

from dropaudit.graph.passes.cut_bodies import (
    FLOATS,
    Narrowing,
    body_of,
    elem_type,
    narrowed,
    narrowing,
    reached_inside,
    reached_outputs,
)
from dropaudit.graph.passes.derive_mode import graphs_of
from dropaudit.graph.passes.expose import TensorPlace
from dropaudit.graph.reading.constants import constants_of
from dropaudit.graph.reading.random_types import RANDOM
from dropaudit.graph.reading.scope import Scope, bodies_of, main_scope, reads
from dropaudit.graph.reading.traversal import upstream

Values = dict[str, onnx.ValueInfoProto]

# Before, a Scan took lengths first, and a batch.
_SCAN_OPSET = 9


class Cut(msgspec.Struct, frozen=True):
    """The part of a model that randomness reaches.

    Attributes:
        model: from the frontier to the outputs that randomness reaches.
        frontier: floating-point tensors that the part before makes, and this part takes as inputs; by the name that
            this part has for them, where the whole model makes them.
        fixed: outputs that randomness does not reach.
        types: element types of the tensors, as far as they can be inferred.
        bodies: what is left of a Scan or Loop, by its name, where that is less than the whole.
    """

    model: onnx.ModelProto
    frontier: Mapping[str, TensorPlace]
    fixed: tuple[str, ...]
    types: Mapping[str, int]
    bodies: Mapping[str, Narrowing]


def cut_at_randomness(model: onnx.ModelProto, outputs: Sequence[str], *, inside: bool = True) -> Cut | None:
    """Leave out all that comes before the first random operator; None where there is nothing to leave out.

        LSTM(x) -> h ; Dropout(h) -> d ; MatMul(d, W) -> y      becomes, with frontier h,
        Dropout(h) -> d ; MatMul(d, W) -> y

    Integers and truth values are computed anew: shapes among them change with the batch.

    Args:
        model: the model; its nodes are named.
        outputs: the outputs that are needed.
        inside: whether bodies of Scan and Loop are cut too.
    """
    scope = main_scope(model)
    values, inner_values = _values(model)
    types = {name: elem_type(value) for name, value in values.items()}
    random, bodies = _reached_by_randomness(scope, inner_values if inside else {})
    drawn = [name for name in outputs if name in random]
    fixed = tuple(name for name in outputs if name not in random)
    walk = _Walk(model.graph, bodies)
    frontier = _frontier(walk, drawn, random.union(scope.constants), types)
    if not drawn or not (frontier or fixed):
        return None
    for name, (path, tensor) in frontier.items():
        if path:
            types[name] = elem_type(inner_values[path[0]][tensor])
    return Cut(_between(walk, model, frontier, drawn, types), frontier, fixed, types, bodies)


def beyond(model: onnx.ModelProto, cut: Cut, outputs: Sequence[str]) -> onnx.ModelProto:
    """Return the part of a model beyond the frontier of a cut: what is needed for outputs and not before it.

    Args:
        model: the model that was cut, but for what randomness reaches.
        cut: the cut.
        outputs: the outputs that are needed.
    """
    return _between(_Walk(model.graph, cut.bodies), model, cut.frontier, outputs, cut.types)


class _Walk:
    """The nodes of a main graph as they are beyond a cut."""

    def __init__(self, graph: onnx.GraphProto, bodies: Mapping[str, Narrowing]) -> None:
        self._bodies = bodies
        self._nodes = {node.name: narrowed(node, bodies[node.name]) for node in graph.node if node.name in bodies}
        self._producers = {name: self.node(node) for node in graph.node for name in node.output if name}

    def node(self, node: onnx.NodeProto) -> onnx.NodeProto:
        """Return what is left of a node."""
        return self._nodes.get(node.name, node)

    def producer(self, name: str) -> onnx.NodeProto | None:
        """Return what is left of the node that makes a tensor; None where nothing does."""
        return self._producers.get(name)

    def known(self, node: onnx.NodeProto) -> dict[str, TensorPlace]:
        """Return where the whole model makes what is left of a Scan or Loop takes from outside."""
        found = self._bodies.get(node.name)
        return {} if found is None else {outer: ((found.step,), name) for outer, name in found.names.items()}


def _between(
    walk: _Walk, model: onnx.ModelProto, frontier: Collection[str], outputs: Sequence[str], types: Mapping[str, int]
) -> onnx.ModelProto:
    nodes, read = _needed(walk, outputs, frontier)
    kept = [value for value in model.graph.input if value.name in read]
    taken = [helper.make_tensor_value_info(name, types.get(name, onnx.TensorProto.FLOAT), None) for name in frontier]
    graph = helper.make_graph(
        [walk.node(node) for node in model.graph.node if node.name in nodes],
        model.graph.name or "part",
        [*kept, *(value for value in taken if value.name in read)],
        [value for value in model.graph.output if value.name in outputs],
        [tensor for tensor in model.graph.initializer if tensor.name in read],
    )
    part = onnx.ModelProto()
    part.CopyFrom(model)
    part.graph.CopyFrom(graph)
    return part


def _reached_by_randomness(scope: Scope, inner_values: Mapping[str, Values]) -> tuple[set[str], dict[str, Narrowing]]:
    """Return the tensors that random operators make or touch, and what is left of bodies whose types are known."""
    reached: set[str] = set()
    bodies: dict[str, Narrowing] = {}
    for node in scope.graph.node:
        if not (_draws(node) or any(name in reached for name in reads(node))):
            continue
        outputs = {name for name in node.output if name}
        found = body_of(node) if scope.opset >= _SCAN_OPSET else None
        if found is not None and found[0] in inner_values:
            step, body = found
            draws = {each.name for each in body.node if _draws(each)}
            inner = reached_inside(node, body, reached, draws)
            outputs = reached_outputs(node, body, inner)
            known = constants_of(body, scope.opset, scope.constants)
            left = None if inner is None else narrowing(node, inner, known, inner_values[step])
            if left is not None:
                bodies[node.name] = left
        reached |= outputs
    return reached, bodies


def _draws(node: onnx.NodeProto) -> bool:
    inner = (each for _, body in bodies_of(node) for graph, _ in graphs_of(body) for each in graph.node)
    return node.op_type in RANDOM or any(each.op_type in RANDOM for each in inner)


def _frontier(
    walk: _Walk, outputs: Iterable[str], others: set[str], types: Mapping[str, int]
) -> dict[str, TensorPlace]:
    """Walk back from the outputs to the first floating-point tensors but `others`: what is random, or constant."""

    def is_before(name: str) -> bool:
        return name not in others and types.get(name) in FLOATS

    found: dict[str, TensorPlace] = {}
    for name in upstream(walk.producer, outputs, stops=is_before):
        node = walk.producer(name)
        if node is not None:
            found |= {name: ((), name)} if is_before(name) else walk.known(node)
    return found


def _needed(walk: _Walk, outputs: Iterable[str], frontier: Collection[str]) -> tuple[set[str], set[str]]:
    """Return the names of the nodes between the frontier and the outputs, and of all tensors that they read."""
    read = set(upstream(walk.producer, outputs, stops=lambda name: name in frontier))
    makers = (walk.producer(name) for name in read if name not in frontier)
    return {node.name for node in makers if node is not None}, read


def _values(model: onnx.ModelProto) -> tuple[Values, dict[str, Values]]:
    """Describe tensors, as far as that can be inferred: those of the main graph, and of bodies by their step."""
    inferred = onnx.shape_inference.infer_shapes(model)
    bodies = (found for node in inferred.graph.node if (found := body_of(node)) is not None)
    return _values_in(inferred.graph), {step: _values_in(body) for step, body in bodies}


def _values_in(graph: onnx.GraphProto) -> Values:
    return {value.name: value for value in (*graph.value_info, *graph.output, *graph.input)}
