"""A pass that puts what a Where, an And or an Or selects in its place, where graph inputs alone say what that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial

import msgspec
import onnx

from dropaudit.graph.draws.random_operators import draws
from dropaudit.graph.draws.rates import Rates
from dropaudit.graph.passes.derive_mode import copy_of, graphs_of, replace_nodes, stretched
from dropaudit.graph.reading.scope import Scope, main_scope, scopes
from dropaudit.graph.reading.traversal import ancestry, positions
from dropaudit.graph.sites.deciders import NO_SWITCHES, Decider, Positions, Switches, decider_of
from dropaudit.graph.sites.mode_switches import take_in

# Whether a node of two truth values has the value of one of them where the other is true, and else where it is false.
_GATES = {"And": True, "Or": False}


class Selection(msgspec.Struct, frozen=True):
    """A node of which one choice draws more, or drops more, than the other, and what decides between them."""

    name: str
    condition: str
    decider: Decider
    draws_when_true: bool


def selection_switches(model: onnx.ModelProto, known: Switches = NO_SWITCHES) -> dict[str, Positions]:
    """Return the graph inputs that choose between a tensor with dropout and one without, as a training phase does.

    Where(training, dropped, x) -> y      is switched by `training`, on where that is true
    Where(training, 0.3, 0) -> rate       too, and
    And(draw, training) -> mask
    Or(draw, serving) -> mask             by `serving`, on where that is false

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
    """Replace every Where, And and Or by the tensor that it selects, in the shape that it had.

    Where(training, dropped, x) -> y      with `training` false becomes
    Shape(dropped) -> s ; Expand(x, s) -> y
    And(draw, training) -> y              with `training` true becomes
    Shape(training) -> s ; Expand(draw, s) -> y

    Args:
        model: the model.
        conditions: the truth of conditions that hold one truth value.
    """
    changed = copy_of(model)
    for graph, _ in graphs_of(changed.graph):
        nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            condition = next((name for name in _conditions(node) if name in conditions), None)
            nodes += [node] if condition is None else _taken(node, condition, conditions[condition])
        replace_nodes(graph, nodes)
    return changed


def _conditions(node: onnx.NodeProto) -> list[str]:
    """Return the inputs of a node that may say what it selects."""
    return list(node.input)[: {"Where": 1, **dict.fromkeys(_GATES, 2)}.get(node.op_type, 0)]


def _taken(node: onnx.NodeProto, condition: str, truth: bool) -> Sequence[onnx.NodeProto]:
    if node.op_type == "Where":
        _, when_true, when_false = node.input
    else:
        other = node.input[1] if node.input[0] == condition else node.input[0]
        when_true, when_false = (other, condition) if _GATES[node.op_type] else (condition, other)
    chosen, other = (when_true, when_false) if truth else (when_false, when_true)
    return stretched(chosen, other, node.output[0], name=node.name)


def _selections(model: onnx.ModelProto, known: Switches) -> Iterator[Selection]:
    if not any(_conditions(node) for graph, _ in graphs_of(model.graph) for node in graph.node):
        return
    main, every = main_scope(model), list(scopes(model))
    drawing = _drawing(every)
    rates = cache(partial(Rates, model))
    deciders: dict[tuple[str, bool], Decider | None] = {}
    for scope in every if drawing else ():
        choices = _Choices(scope, drawing, rates)
        for node in scope.graph.node:
            found = choices.of(node)
            if found is None or (scope.path and found[0] in scope.inputs | set(scope.producers)):
                continue
            if found not in deciders:
                deciders[found] = decider_of(main, found[0], known, truth=found[1])
            decider = deciders[found]
            if decider is not None:
                yield Selection(node.name, found[0], decider, found[1])


class _Choices:
    """The nodes of a scope that choose between dropping more and less."""

    def __init__(self, scope: Scope, drawing: frozenset[str], rates: Callable[[], Rates]) -> None:
        self._scope = scope
        self._before = ancestry(scope)
        self._draws_at = sum(1 << at for name, at in positions(scope).items() if name in drawing)
        self._rates = rates

    def of(self, node: onnx.NodeProto) -> tuple[str, bool] | None:
        """Return the condition by which a node chooses, and whether more is dropped where it is true."""
        conditions = _conditions(node)
        if len(conditions) == 1:
            drops = self._draws_in_choice(node) or self._rate_in_choice(node)
            return None if drops is None else (conditions[0], drops[0] > drops[1])
        drawn = [self._draws(name) > 0 for name in conditions]
        if sum(drawn) != 1:
            return None
        return conditions[drawn.index(False)], _GATES[node.op_type]

    def _draws(self, name: str) -> int:
        return (self._before.get(name, 0) & self._draws_at).bit_count()

    def _draws_in_choice(self, node: onnx.NodeProto) -> tuple[int, int] | None:
        then, other = (self._draws(name) for name in node.input[1:])
        return None if then == other else (then, other)

    def _rate_in_choice(self, node: onnx.NodeProto) -> tuple[int, int] | None:
        """A rate between 0 and 1 drops some, and one of 0 or 1 none, or all that there is."""
        values = [self._scope.scalar(name) for name in node.input[1:]]
        then, other = (int(value is not None and 0 < value < 1) for value in values)
        known = None not in values and then != other
        return (then, other) if known and self._rates().neutral(node.output[0]) is not None else None


def _drawing(every: list[Scope]) -> frozenset[str]:
    """Return the names of the nodes that draw, and of those with a body that does."""
    found = [(scope.path, node.name) for scope in every for node in scope.graph.node if draws(scope, node)]
    around = (step.rsplit(":", 1)[0] for path, _ in found for step in path)
    return frozenset([*(name for _, name in found), *around])
