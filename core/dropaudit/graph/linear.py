"""Whether only linear operators lie between the sites and an output."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from dropaudit.graph.scope import Scope, reads
from dropaudit.graph.two_point import MOVES

# Linear in all of their inputs together.
_SUMS = frozenset({"Add", "Sub", "Sum", "Mean", "Concat", "Neg"})
# Linear in each of their inputs while the others stay.
_PRODUCTS = frozenset({"Mul", "MatMul", "Gemm", "Einsum", "Conv", "ConvTranspose"})
# Linear in their first input.
_FIRST = MOVES | {
    "Div", "Gather", "GatherND", "Slice", "Split", "Pad", "Tile", "ReduceSum", "ReduceMean", "AveragePool",
    "GlobalAveragePool", "CumSum", "Dropout", "DepthToSpace", "SpaceToDepth",
}  # fmt: skip


def reached_and_linear(scope: Scope, results: Iterable[str], bent: Iterable[str] = ()) -> dict[str, bool]:
    """Return the outputs that sites reach; True where only linear (or affine) operators lie between.

    Gemm(drop(x), W) + b is linear, tanh(drop(x)) and LSTM(drop(x)) are not.

    Args:
        scope: a main graph.
        results: tensors that sites of it make.
        bent: outputs of nodes whose bodies hold sites; what a body does with a mask is taken as not linear.
    """
    linear = dict.fromkeys(results, True) | dict.fromkeys(bent, False)
    for node in scope.graph.node:
        touched = [name for name in reads(node) if name in linear]
        if not touched:
            continue
        straight = _is_linear(node, set(touched)) and all(linear[name] for name in touched)
        for name in node.output:
            linear[name] = straight and linear.get(name, True)
    return {value.name: linear[value.name] for value in scope.graph.output if value.name in linear}


def _is_linear(node: onnx.NodeProto, touched: set[str]) -> bool:
    if node.op_type in _SUMS:
        return True
    if node.op_type in _PRODUCTS:
        return sum(name in touched for name in node.input) == 1
    if node.op_type == "Where":
        return node.input[0] not in touched
    return node.op_type in _FIRST and touched == {node.input[0]}
