"""Where in a model a site sits."""

from __future__ import annotations

import onnx

from dropaudit.graph.scope import Scope, reads
from dropaudit.graph.two_point import MOVES
from dropaudit.report import Placement

RECURRENT = frozenset({"LSTM", "GRU", "RNN", "Scan", "Loop"})


def place(scope: Scope, source: str, result: str) -> Placement:
    """Tell where a mask between the tensors `source` and `result` sits."""
    if scope.path:
        return Placement.UNKNOWN
    origin = _origin(scope, source)
    if origin in scope.constants:
        return Placement.WEIGHT
    if origin in scope.inputs:
        return Placement.INPUT
    if scope.producers[origin].op_type == "Gather" and scope.producers[origin].input[0] in scope.constants:
        return Placement.EMBEDDING
    return _among_layers(scope, source, result)


def _among_layers(scope: Scope, source: str, result: str) -> Placement:
    if _becomes_output(scope, result):
        return Placement.OUTPUT
    if not any(node.op_type in RECURRENT for node in ancestors(scope, source)):
        return Placement.UNKNOWN
    later = any(node.op_type in RECURRENT for node in descendants(scope, result))
    return Placement.BETWEEN_LAYERS if later else Placement.HEAD


def _origin(scope: Scope, name: str) -> str:
    """Go back through operators that only move elements."""
    while name in scope.producers and scope.producers[name].op_type in MOVES:
        name = scope.producers[name].input[0]
    return name


def _becomes_output(scope: Scope, name: str) -> bool:
    """Whether a tensor is returned with nothing but moves in between."""
    if name in scope.outputs:
        return True
    movers = (node for node in scope.consumers.get(name, []) if node.op_type in MOVES and node.input[0] == name)
    return any(_becomes_output(scope, node.output[0]) for node in movers)


def ancestors(scope: Scope, name: str) -> list[onnx.NodeProto]:
    """Return the nodes that a tensor depends on."""
    found: dict[str, onnx.NodeProto] = {}
    waiting = [name]
    while waiting:
        node = scope.producers.get(waiting.pop())
        if node is not None and node.name not in found:
            found[node.name] = node
            waiting += reads(node)
    return list(found.values())


def descendants(scope: Scope, name: str) -> list[onnx.NodeProto]:
    """Return the nodes that depend on a tensor."""
    found: dict[str, onnx.NodeProto] = {}
    waiting = [name]
    while waiting:
        for node in scope.consumers.get(waiting.pop(), []):
            if node.name not in found:
                found[node.name] = node
                waiting += node.output
    return list(found.values())
