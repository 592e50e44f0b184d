"""The random operators of a model, and the outputs that they reach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
import onnx

from dropaudit.graph.reading.dropout_operator import ratio_of, switch_of
from dropaudit.graph.reading.random_types import DRAWS
from dropaudit.graph.reading.scope import SHAPE_READERS, Scope, bodies_of, carried_positions
from dropaudit.graph.site import Switch

_Reached = dict[str, set[str]]
_Tensors = dict[str, frozenset[str]]
_Scopes = dict[tuple[str, ...], Scope]


class RandomOperator(msgspec.Struct, frozen=True):
    """A node that draws, and what depends on it.

    Attributes:
        name: the node.
        op_type: its operator.
        outputs: outputs of the model that its numbers reach; its own shape alone does not count.
    """

    name: str
    op_type: str
    outputs: frozenset[str]


def random_operators(scopes: Iterable[Scope], *, switched_on: bool = True) -> tuple[RandomOperator, ...]:
    """Return the operators that draw, in graph order, with the outputs that each reaches.

    A Dropout draws where its training mode is not constant false, and its drop rate not zero.

    Args:
        scopes: the main graph and all bodies.
        switched_on: whether a Dropout that a graph input switches counts.
    """
    every = list(scopes)
    nodes = [(scope, node) for scope in every for node in scope.graph.node if draws(scope, node, switched_on)]
    origins = {name: node.name for _, node in nodes for name in node.output if name}
    reached = _outputs_reached(every, origins)
    return tuple(RandomOperator(node.name, node.op_type, frozenset(reached.get(node.name, ()))) for _, node in nodes)


def draws_masks(scopes: Iterable[Scope]) -> bool:
    """Whether more is drawn in a model than by Dropout operators whose data is neither constant nor their mask used."""
    for scope in scopes:
        for node in scope.graph.node:
            if node.op_type in DRAWS or (node.op_type == "Dropout" and _gives_a_mask(scope, node)):
                return True
    return False


def _gives_a_mask(scope: Scope, node: onnx.NodeProto) -> bool:
    maker = scope.producers.get(node.input[0])
    filled = maker is not None and maker.op_type in ("ConstantOfShape", "Expand")
    used = len(node.output) > 1 and node.output[1] in scope.consumers
    return used or filled or node.input[0] in scope.constants


def draws(scope: Scope, node: onnx.NodeProto, switched_on: bool = True) -> bool:
    """Whether a node of a scope can make other numbers in another run."""
    if node.op_type != "Dropout":
        return node.op_type in DRAWS
    ratio, (switch, _, default_on) = ratio_of(scope, node), switch_of(scope, node)
    if ratio == 0 or switch is Switch.OFF:
        return False
    return switched_on or switch in (Switch.ON, Switch.COMPUTED) or (switch is Switch.DEFAULT and default_on)


def _outputs_reached(scopes: list[Scope], origins: Mapping[str, str]) -> _Reached:
    """Return, by random operator, the outputs of the main graph that it reaches."""
    by_path = {scope.path: scope for scope in scopes}
    main = by_path[()]
    flow = _through(main, {}, origins, by_path)
    found: _Reached = {}
    for value in main.graph.output:
        for origin in flow.get(value.name, ()):
            found.setdefault(origin, set()).add(value.name)
    return found


def _through(scope: Scope, entering: _Tensors, origins: Mapping[str, str], scopes: _Scopes) -> _Tensors:
    """Follow random operators through the nodes of a graph: by tensor, those that its numbers depend on."""
    flow = dict(entering)
    for node in scope.graph.node:
        own = {name: frozenset({origins[name]}) for name in node.output if name in origins}
        if bodies_of(node):
            flow.update(_through_bodies(scope, node, flow, origins, scopes))
            continue
        read = () if node.op_type in SHAPE_READERS or _is_zero(scope, node) else node.input
        touching = frozenset().union(*(flow.get(name, frozenset()) for name in read))
        for name in node.output:
            everything = touching | own.get(name, frozenset())
            if name and everything:
                flow[name] = everything
    return flow


def _is_zero(scope: Scope, node: onnx.NodeProto) -> bool:
    """Whether a node multiplies by zeros, such as the first state of an unrolled recurrence."""
    if node.op_type not in ("Mul", "MatMul"):
        return False
    return any(name in scope.constants and not np.any(scope.constants[name]) for name in node.input)


def _through_bodies(
    scope: Scope, node: onnx.NodeProto, flow: _Tensors, origins: Mapping[str, str], scopes: _Scopes
) -> _Tensors:
    """A random condition or trip count touches all results; else each result has what it has in the body."""
    found: _Tensors = {}
    deciding = node.input[: 2 if node.op_type == "Loop" else 1] if node.op_type in ("If", "Loop") else ()
    always = frozenset().union(*(flow.get(name, frozenset()) for name in deciding))
    for step, body in bodies_of(node):
        inner = scopes[(*scope.path, step)]
        leaving = _through_body(node, inner, flow, origins, scopes)
        shift = 1 if node.op_type == "Loop" else 0
        for position, name in enumerate(node.output):
            inside = body.output[position + shift].name
            everything = always | leaving.get(inside, frozenset()) | found.get(name, frozenset())
            if name and everything:
                found[name] = everything
    return found


def _through_body(
    node: onnx.NodeProto, inner: Scope, flow: _Tensors, origins: Mapping[str, str], scopes: _Scopes
) -> _Tensors:
    inputs = [value.name for value in inner.graph.input]
    entering = {**flow}
    for outside, inside in zip(node.input, inputs, strict=False):
        entering.pop(inside, None)
        if outside in flow:
            entering[inside] = flow[outside]
    carried = carried_positions(node, inner.graph)
    while True:
        leaving = _through(inner, entering, origins, scopes)
        grown = False
        for position, returned in carried.items():
            before = entering.get(inputs[position], frozenset())
            after = before | leaving.get(inner.graph.output[returned].name, frozenset())
            if after != before:
                entering[inputs[position]], grown = after, True
        if not grown:
            return leaving
