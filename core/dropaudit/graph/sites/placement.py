"""Where in a model a site sits."""

from __future__ import annotations

import onnx

from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import Scope, carried_positions
from dropaudit.graph.reading.traversal import marks_before, marks_behind, once_for_each_scope
from dropaudit.graph.sites.recurrence import is_memory, meets_weights, recurrences, recurs, state_placement
from dropaudit.report import Placement

# Operators that put tensors side by side, as unrolled time steps are.
_GATHERED = MOVES | {"Concat", "Pad", "Slice"}


def place(scope: Scope, source: str, result: str) -> Placement:
    """Tell where a mask between the tensors `source` and `result` sits."""
    origin = _origins(scope).get(source, source)
    state = _initial_state(scope, result, source)
    if state is not None:
        return state
    if is_memory(scope, origin) and not _becomes_output(scope, result):
        return Placement.STATE_C
    if origin in scope.constants:
        return Placement.EMBEDDING if _is_table(scope, result) else Placement.WEIGHT
    if scope.outer is not None:
        return _in_body(scope, scope.outer, origin, result)
    if origin in scope.inputs:
        return Placement.INPUT
    if origin in _embeddings(scope):
        return Placement.EMBEDDING
    return _among_layers(scope, source, result)


def _initial_state(scope: Scope, result: str, source: str) -> Placement | None:
    """Tell a mask on the state that a recurrent operator begins with: an LSTM's seventh input is its memory."""
    waiting = _readings(scope, result)
    while waiting:
        node, name = waiting.pop()
        if _moves(node, name) or _is_line(scope, node) or _takes_away(node, source, name):
            waiting += _readings(scope, node.output[0])
        elif node.op_type in ("LSTM", "GRU", "RNN") and name in node.input[5:7]:
            return Placement.STATE_C if list(node.input).index(name) == 6 else Placement.STATE_H
    return None


def _readings(scope: Scope, name: str) -> list[tuple[onnx.NodeProto, str]]:
    """Return the nodes that read a tensor, the first last, with that tensor."""
    return [(node, name) for node in reversed(scope.consumers.get(name, []))]


def _is_line(scope: Scope, node: onnx.NodeProto) -> bool:
    """Whether a node only scales or shifts: a state that was scaled is a state still."""
    numbers = sum(scope.scalar(name) is not None for name in node.input)
    return node.op_type in ("Mul", "Div", "Add", "Sub") and numbers == 1


def _takes_away(node: onnx.NodeProto, source: str, result: str) -> bool:
    """Whether a node leaves of the data what the mask drops: x - x m."""
    return node.op_type == "Sub" and list(node.input) == [source, result]


def _in_body(scope: Scope, outer: Scope, origin: str, result: str) -> Placement:
    """Carried from step to step, returned step by step, or taken in step by step."""
    owner = scope.owner
    assert owner is not None
    reached = _reached_outputs(scope, result)
    if owner.op_type not in ("Scan", "Loop"):
        return place(outer, origin, owner.output[reached[0]] if reached else origin)
    states = _states(scope)
    position = next((each for each in reached if each in states), None)
    if position is None and origin in states.values():
        position = next(each for each, name in states.items() if name == origin)
    if position is not None:
        return state_placement(scope, tuple(states.values()), states[position])
    shift = 1 if owner.op_type == "Loop" else 0
    if reached:
        return _among_layers(outer, owner.output[reached[0] - shift], owner.output[reached[0] - shift])
    if meets_weights(scope, result) and _made_of_states(scope).get(origin):
        return Placement.BETWEEN_LAYERS
    inside = [value.name for value in scope.graph.input]
    if origin in inside:
        return _taken_in(outer, owner.input[inside.index(origin)])
    return Placement.UNKNOWN if origin in scope.producers else place(outer, origin, origin)


@once_for_each_scope
def _made_of_states(scope: Scope) -> dict[str, int]:
    """Return the tensors of a body; 1 for those that are made of what it carries from step to step, else 0."""
    states = set(_states(scope).values())
    return marks_before(scope, lambda node: int(not states.isdisjoint(node.input)))


def _taken_in(outer: Scope, name: str) -> Placement:
    found = place(outer, name, name)
    return Placement.INPUT if found in (Placement.OUTPUT, Placement.UNKNOWN) else found


def _states(scope: Scope) -> dict[int, str]:
    """Return, by the position of the body's output, the inputs that carry a value from step to step."""
    assert scope.owner is not None
    carried = carried_positions(scope.owner, scope.graph)
    return {returned: scope.graph.input[position].name for position, returned in carried.items()}


def _reached_outputs(scope: Scope, name: str) -> list[int]:
    """Return the positions of the graph's outputs that are a tensor, with nothing but moves in between."""
    behind = _outputs_behind_moves(scope).get(name, 0)
    return [position for position in range(len(scope.graph.output)) if behind >> position & 1]


@once_for_each_scope
def _outputs_behind_moves(scope: Scope) -> dict[str, int]:
    """Return, by tensor, the outputs that it becomes with nothing but moves in between, as bits."""
    own: dict[str, int] = {}
    for position, value in enumerate(scope.graph.output):
        own[value.name] = own.get(value.name, 0) | 1 << position
    return marks_behind(scope, lambda _: 0, passes=_moves, own=own)


def _is_table(scope: Scope, result: str) -> bool:
    """Whether a tensor is what a Gather looks rows up in."""
    return any(node.op_type == "Gather" and node.input[0] == result for node in scope.consumers.get(result, []))


@once_for_each_scope
def _embeddings(scope: Scope) -> set[str]:
    """Return the tensors that are rows of a table, as they are or scaled."""
    found: set[str] = set()
    for node in scope.graph.node:
        if node.op_type == "Gather" and node.input[0] in scope.constants:
            found.update(node.output)
        elif node.op_type in ("Mul", "Div"):
            numbers = [name for name in node.input if scope.scalar(name) is None]
            if len(numbers) < len(node.input) and numbers and numbers[0] in found:
                found.update(node.output)
    return found


def _among_layers(scope: Scope, source: str, result: str) -> Placement:
    if _becomes_output(scope, result):
        return Placement.OUTPUT
    if recurs(scope, source, result):
        return Placement.STATE_H
    recurrent = recurrences(scope)
    if source not in recurrent.made_by:
        return Placement.UNKNOWN
    return Placement.BETWEEN_LAYERS if result in recurrent.read_by else Placement.HEAD


@once_for_each_scope
def _origins(scope: Scope) -> dict[str, str]:
    """Return what tensors were before operators that only move elements; those that none has moved are left out."""
    found: dict[str, str] = {}
    for node in scope.graph.node:
        if _only_moves(scope, node):
            origin = found.get(node.input[0], node.input[0])
            found.update(dict.fromkeys(node.output, origin))
    return found


def _only_moves(scope: Scope, node: onnx.NodeProto) -> bool:
    """Whether a node moves elements, or takes one step out of a sequence in a body."""
    takes_step = scope.outer is not None and node.op_type == "Gather" and node.input[0] not in scope.constants
    return node.op_type in MOVES or takes_step


def _becomes_output(scope: Scope, name: str) -> bool:
    """Whether a tensor is returned with nothing in between but moves, or being put beside others."""
    return scope.outer is None and name in _becoming_outputs(scope)


@once_for_each_scope
def _becoming_outputs(scope: Scope) -> frozenset[str]:
    own = dict.fromkeys(scope.outputs, 1)
    return frozenset(marks_behind(scope, lambda _: 0, passes=lambda node, _: node.op_type in _GATHERED, own=own))


def _moves(node: onnx.NodeProto, name: str) -> bool:
    return node.op_type in MOVES and node.input[0] == name
