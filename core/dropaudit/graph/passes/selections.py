"""A pass that puts what a Where selects in its place, where a graph input alone says which of two tensors it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import onnx

from dropaudit.graph.draws.random_operators import draws
from dropaudit.graph.passes.derive_mode import copy_of, graphs_of, replace_nodes, stretched
from dropaudit.graph.reading.scope import Scope, main_scope, scopes
from dropaudit.graph.reading.traversal import ancestry, positions
from dropaudit.graph.sites.deciders import NO_SWITCHES, Decider, Positions, Switches, decider_of
from dropaudit.graph.sites.mode_switches import take_in


class Selection(msgspec.Struct, frozen=True):
    """A Where of which one choice draws more than the other, and what decides between them."""

    name: str
    condition: str
    decider: Decider
    draws_when_true: bool


def selection_switches(model: onnx.ModelProto, known: Switches = NO_SWITCHES) -> dict[str, Positions]:
    """Return the graph inputs that choose between a tensor with dropout and one without, as a training phase does.

    Where(training, dropped, x) -> y      is switched by `training`, on where that is true

    Returns:
        By input, the value that takes the tensor with dropout, and the one that takes the other.
    """
    found: dict[str, Positions] = {}
    for each in _selections(model, known):
        take_in(found, each.decider, each.draws_when_true)
    return found


def selecting_conditions(model: onnx.ModelProto) -> tuple[str, ...]:
    """Return the tensors of the main graph by which such inputs choose."""
    return tuple(dict.fromkeys(each.condition for each in _selections(model, NO_SWITCHES)))


def selections_of_numbers(model: onnx.ModelProto) -> tuple[Selection, ...]:
    """Return those whose switches decide only where numbers, which are data, have certain values.

    Greater(step, 10) -> late ; And(training, late) -> on ; Where(on, dropped, x) -> y
    """
    return tuple(each for each in _selections(model, NO_SWITCHES) if each.decider.numbers)


def selected(model: onnx.ModelProto, conditions: Mapping[str, bool]) -> onnx.ModelProto:
    """Replace every Where by the tensor that it selects, in the shape that it had.

    Where(training, dropped, x) -> y      with `training` false becomes
    Shape(dropped) -> s ; Expand(x, s) -> y

    Args:
        model: the model.
        conditions: the truth of conditions that hold one truth value.
    """
    changed = copy_of(model)
    for graph, _ in graphs_of(changed.graph):
        nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            known = node.op_type == "Where" and node.input[0] in conditions
            nodes += _taken(node, conditions[node.input[0]]) if known else [node]
        replace_nodes(graph, nodes)
    return changed


def _taken(node: onnx.NodeProto, truth: bool) -> Sequence[onnx.NodeProto]:
    _, when_true, when_false = node.input
    chosen, other = (when_true, when_false) if truth else (when_false, when_true)
    return stretched(chosen, other, node.output[0], name=node.name)


def _selections(model: onnx.ModelProto, known: Switches) -> Iterator[Selection]:
    if not any(node.op_type == "Where" for graph, _ in graphs_of(model.graph) for node in graph.node):
        return
    main, every = main_scope(model), list(scopes(model))
    drawing = _drawing(every)
    deciders: dict[tuple[str, bool], Decider | None] = {}
    for scope in every if drawing else ():
        before, draws_at = ancestry(scope), sum(1 << at for name, at in positions(scope).items() if name in drawing)
        for node in scope.graph.node:
            if node.op_type != "Where" or (scope.path and node.input[0] in scope.inputs | set(scope.producers)):
                continue
            then, other = ((before.get(name, 0) & draws_at).bit_count() for name in node.input[1:])
            if then == other:
                continue
            asked = (node.input[0], then > other)
            if asked not in deciders:
                deciders[asked] = decider_of(main, node.input[0], known, truth=then > other)
            decider = deciders[asked]
            if decider is not None:
                yield Selection(node.name, node.input[0], decider, then > other)


def _drawing(every: list[Scope]) -> frozenset[str]:
    """Return the names of the nodes that draw, and of those with a body that does."""
    found = [(scope.path, node.name) for scope in every for node in scope.graph.node if draws(scope, node)]
    around = (step.rsplit(":", 1)[0] for path, _ in found for step in path)
    return frozenset([*(name for _, name in found), *around])
