"""States of recurrent cells that are spelled out: in the body of a Scan or Loop, or unrolled."""

from __future__ import annotations

import onnx

from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.reading.traversal import downstream, readers_of, upstream
from dropaudit.report import Placement

_PRODUCTS = frozenset({"MatMul", "Gemm", "Einsum", "LSTM", "GRU", "RNN", "Conv"})
# What may lie between a state and the product with its weights: moves, masks, joining it to the input.
_ON_THE_WAY = MOVES | {"Concat", "Mul", "Div", "Where", "Dropout", "Slice", "Split"}


def state_placement(scope: Scope, states: tuple[str, ...], name: str) -> Placement:
    """Tell the hidden state h from the memory c: h is multiplied by weights, c only element by element.

    Args:
        scope: the body of a Scan or Loop.
        states: the inputs that the body carries from step to step.
        name: the one in question.
    """
    hidden = {state: meets_weights(scope, state) for state in states}
    if hidden[name] or not any(hidden.values()):
        return Placement.STATE_H
    return Placement.STATE_C


def meets_weights(scope: Scope, name: str) -> bool:
    """Whether a tensor is multiplied by weights, directly or behind masks and moves."""
    return any(node.op_type in _PRODUCTS for node in _readers(scope, name))


def _readers(scope: Scope, name: str) -> list[onnx.NodeProto]:
    """Return the nodes that read a tensor, directly or behind masks and moves."""
    return readers_of(scope, downstream(scope.consumers, [name], passes=lambda node, _: node.op_type in _ON_THE_WAY))


def is_memory(scope: Scope, name: str) -> bool:
    """Whether a tensor is an LSTM's new memory: c = f * c + i * g, with gates f and i behind a sigmoid."""
    node = scope.producers.get(name)
    if node is None or node.op_type != "Add":
        return False
    products = [scope.producers.get(each) for each in node.input]
    return all(product is not None and product.op_type == "Mul" and _is_gated(scope, product) for product in products)


def _is_gated(scope: Scope, product: onnx.NodeProto) -> bool:
    makers = [scope.producers.get(name) for name in product.input]
    return any(maker is not None and maker.op_type in ("Sigmoid", "HardSigmoid") for maker in makers)


def recurs(scope: Scope, source: str, result: str) -> bool:
    """Whether a tensor meets, behind a mask, weights that it was made from: the next step of an unrolled cell."""
    cells = (node for node in _readers(scope, result) if node.op_type in ("MatMul", "Gemm"))
    after = {name for node in cells for name in node.input}
    weights = {name for name in after if name in scope.constants and scope.constants[name].ndim >= 2}
    before = upstream(scope.producers.get, [source], inputs=lambda node: node.input)
    return bool(weights) and any(name in weights for name in before if name != source)
