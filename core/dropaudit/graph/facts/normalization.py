"""Where what a site keeps is divided by a sum of itself, as attention that is normalized again after dropout."""

from __future__ import annotations

import onnx

from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import SHAPE_READERS, Scope
from dropaudit.graph.reading.traversal import upstream

_SUMS = frozenset({"ReduceSum", "ReduceMean", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceSumSquare"})
_FARTHEST = 8


def is_normalized(scope: Scope, name: str) -> bool:
    """Whether a tensor, scaled and moved at most, is read by nothing but what divides it by a sum of itself.

        Mul(p, m) -> d ; ReduceSum(d) -> s ; Div(d, s) -> y      d is normalized, whatever it was multiplied by

    Args:
        scope: the graph.
        name: the tensor.
    """
    for _ in range(_FARTHEST):
        if name in scope.outputs:
            return False
        readers = [node for node in scope.consumers.get(name, []) if node.op_type not in SHAPE_READERS]
        others = [node for node in readers if node.op_type not in _SUMS]
        if len(others) != 1:
            return False
        node = others[0]
        if node.op_type == "LpNormalization" or _divides_by_own_sum(scope, node, name):
            return True
        if len(readers) > 1 or not _only_scales(scope, node, name):
            return False
        name = node.output[0]
    return False


def _divides_by_own_sum(scope: Scope, node: onnx.NodeProto, name: str) -> bool:
    if node.op_type not in ("Div", "Mul") or (node.op_type == "Div" and node.input[0] != name):
        return False
    other = next((each for each in node.input if each != name), None)
    if other is None:
        return False
    made = [
        scope.producers.get(each) for each in upstream(scope.producers.get, [other], stops=lambda each: each == name)
    ]
    return any(each is not None and each.op_type in _SUMS and each.input[0] == name for each in made)


def _only_scales(scope: Scope, node: onnx.NodeProto, name: str) -> bool:
    if node.op_type in MOVES:
        return node.input[0] == name
    others = [each for each in node.input if each != name]
    return node.op_type in ("Mul", "Div") and len(others) == 1 and others[0] in scope.constants
