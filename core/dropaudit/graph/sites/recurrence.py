"""States of recurrent cells that are spelled out: in the body of a Scan or Loop, or unrolled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec
import onnx

from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.reading.traversal import marks_before, marks_behind, once_for_each_scope
from dropaudit.report import Placement

_RECURRENT = frozenset({"LSTM", "GRU", "RNN", "Scan", "Loop"})
_PRODUCTS = frozenset({"MatMul", "Gemm", "Einsum", "LSTM", "GRU", "RNN", "Conv"})
_CELLS = ("MatMul", "Gemm")
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
    return name in _meeting_weights(scope)


@once_for_each_scope
def _meeting_weights(scope: Scope) -> frozenset[str]:
    return frozenset(marks_behind(scope, lambda node: int(node.op_type in _PRODUCTS), passes=_is_on_the_way))


def _is_on_the_way(node: onnx.NodeProto, _: str) -> bool:
    return node.op_type in _ON_THE_WAY


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
    weights = _weights_around(scope)
    return bool(weights.made_from.get(source, 0) & weights.met.get(result, 0))


class _WeightsAround(msgspec.Struct, frozen=True):
    """The weights around each tensor, as bits.

    Attributes:
        made_from: the weights that it was made from.
        met: the weights that it meets in a cell, directly or behind masks and moves.
    """

    made_from: Mapping[str, int]
    met: Mapping[str, int]


@once_for_each_scope
def _weights_around(scope: Scope) -> _WeightsAround:
    bits: dict[str, int] = {}
    for node in scope.graph.node:
        for name in _weights_of_cell(scope, node):
            bits.setdefault(name, 1 << len(bits))

    def read(node: onnx.NodeProto) -> int:
        return sum(bits[name] for name in {*node.input} & bits.keys())

    def met(node: onnx.NodeProto) -> int:
        return read(node) if node.op_type in _CELLS else 0

    return _WeightsAround(
        marks_before(scope, read, inputs=lambda node: node.input), marks_behind(scope, met, passes=_is_on_the_way)
    )


class Recurrences(msgspec.Struct, frozen=True):
    """The tensors around recurrent operators, and around unrolled ones, whose weights serve again and again.

    Attributes:
        made_by: those that depend on one.
        read_by: those that one depends on.
    """

    made_by: frozenset[str]
    read_by: frozenset[str]


@once_for_each_scope
def recurrences(scope: Scope) -> Recurrences:
    """Find what lies before and behind recurrent operators, bodies' owners included."""
    marks = _Marks(scope)
    before, behind = marks_before(scope, marks.of), marks_behind(scope, marks.of)
    return Recurrences(*(frozenset(name for name in each if marks.tell(each[name])) for each in (before, behind)))


class _Marks:
    """Marks of nodes: a bit for any recurrent operator, one for each weight that several read, one for each reading."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        counts = Counter(name for node in scope.graph.node for name in _weights_of_cell(scope, node))
        shared = [name for name, count in counts.items() if count > 1]
        self._weights = {name: 2 << position for position, name in enumerate(shared)}
        self._every = sum(self._weights.values())
        self._next = 2 << len(shared)
        self._readings: dict[str, int] = {}

    def of(self, node: onnx.NodeProto) -> int:
        """Return the mark of a node, always the same."""
        if node.name not in self._readings:
            self._readings[node.name] = self._new(node)
        return self._readings[node.name]

    def _new(self, node: onnx.NodeProto) -> int:
        mark = int(node.op_type in _RECURRENT)
        for name in _weights_of_cell(self._scope, node):
            if name in self._weights:
                mark |= self._weights[name] | self._next
                self._next <<= 1
        return mark

    def tell(self, marks: int) -> bool:
        """Whether there is a recurrent operator among nodes, or a weight that is read twice."""
        weights = marks & self._every
        return bool(marks & 1) or weights.bit_count() < (marks ^ weights).bit_count()


def _weights_of_cell(scope: Scope, node: onnx.NodeProto) -> list[str]:
    """Return the weights that a node multiplies by, as a cell that is spelled out does."""
    if node.op_type not in _CELLS:
        return []
    return [name for name in node.input if name in scope.constants and scope.constants[name].ndim > 1]
