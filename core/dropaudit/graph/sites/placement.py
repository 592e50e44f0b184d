"""Where in a model a site sits."""

from __future__ import annotations

import onnx

from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import Scope, carried_positions
from dropaudit.graph.reading.traversal import ancestors, descendants, downstream
from dropaudit.graph.sites.recurrence import is_memory, meets_weights, recurs, state_placement
from dropaudit.report import Placement

RECURRENT = frozenset({"LSTM", "GRU", "RNN", "Scan", "Loop"})
# Operators that put tensors side by side, as unrolled time steps are.
_GATHERED = MOVES | {"Concat", "Pad", "Slice"}


def place(scope: Scope, source: str, result: str) -> Placement:
    """Tell where a mask between the tensors `source` and `result` sits."""
    origin = _origin(scope, source)
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
    if _is_embedding(scope, origin):
        return Placement.EMBEDDING
    return _among_layers(scope, source, result)


def _initial_state(scope: Scope, result: str, source: str) -> Placement | None:
    """Tell a mask on the state that a recurrent operator begins with: an LSTM's seventh input is its memory."""
    for node in scope.consumers.get(result, []):
        if _moves(node, result) or _is_line(scope, node) or _takes_away(node, source, result):
            found = _initial_state(scope, node.output[0], source)
            if found is not None:
                return found
        if node.op_type in ("LSTM", "GRU", "RNN") and result in node.input[5:7]:
            return Placement.STATE_C if list(node.input).index(result) == 6 else Placement.STATE_H
    return None


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
    if meets_weights(scope, result) and _depends_on_state(scope, origin, tuple(states.values())):
        return Placement.BETWEEN_LAYERS
    inside = [value.name for value in scope.graph.input]
    if origin in inside:
        return _taken_in(outer, owner.input[inside.index(origin)])
    return Placement.UNKNOWN if origin in scope.producers else place(outer, origin, origin)


def _depends_on_state(scope: Scope, name: str, states: tuple[str, ...]) -> bool:
    """Whether a tensor is made of what the body carries from step to step."""
    return any(set(states) & set(node.input) for node in ancestors(scope, name))


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
    names = set(downstream(scope.consumers, [name], passes=_moves))
    return [position for position, value in enumerate(scope.graph.output) if value.name in names]


def _is_table(scope: Scope, result: str) -> bool:
    """Whether a tensor is what a Gather looks rows up in."""
    return any(node.op_type == "Gather" and node.input[0] == result for node in scope.consumers.get(result, []))


def _is_embedding(scope: Scope, origin: str) -> bool:
    node = scope.producers.get(origin)
    while (
        node is not None
        and node.op_type in ("Mul", "Div")
        and any(scope.scalar(name) is not None for name in node.input)
    ):
        origin = next((name for name in node.input if scope.scalar(name) is None), origin)
        node = scope.producers.get(origin)
    return node is not None and node.op_type == "Gather" and node.input[0] in scope.constants


def _among_layers(scope: Scope, source: str, result: str) -> Placement:
    if _becomes_output(scope, result):
        return Placement.OUTPUT
    if recurs(scope, source, result):
        return Placement.STATE_H
    if not _is_recurrent(scope, ancestors(scope, source)):
        return Placement.UNKNOWN
    later = _is_recurrent(scope, descendants(scope, result))
    return Placement.BETWEEN_LAYERS if later else Placement.HEAD


def _is_recurrent(scope: Scope, nodes: list[onnx.NodeProto]) -> bool:
    """Whether there is a recurrent operator, or one weight that serves again and again as in an unrolled one."""
    weights = [
        name
        for node in nodes
        if node.op_type in ("MatMul", "Gemm")
        for name in node.input
        if name in scope.constants and scope.constants[name].ndim > 1
    ]
    return any(node.op_type in RECURRENT for node in nodes) or len(set(weights)) < len(weights)


def _origin(scope: Scope, name: str) -> str:
    """Go back through operators that only move elements."""
    while name in scope.producers and _only_moves(scope, scope.producers[name]):
        name = scope.producers[name].input[0]
    return name


def _only_moves(scope: Scope, node: onnx.NodeProto) -> bool:
    """Whether a node moves elements, or takes one step out of a sequence in a body."""
    takes_step = scope.outer is not None and node.op_type == "Gather" and node.input[0] not in scope.constants
    return node.op_type in MOVES or takes_step


def _becomes_output(scope: Scope, name: str) -> bool:
    """Whether a tensor is returned with nothing in between but moves, or being put beside others."""
    behind = downstream(scope.consumers, [name], passes=lambda node, _: node.op_type in _GATHERED)
    return scope.outer is None and any(each in scope.outputs for each in behind)


def _moves(node: onnx.NodeProto, name: str) -> bool:
    return node.op_type in MOVES and node.input[0] == name
