"""Tensors that say how much a draw drops."""

from __future__ import annotations

from collections import defaultdict

import onnx

from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.messages import every_node
from dropaudit.graph.reading.random_types import UNIFORM
from dropaudit.graph.reading.traversal import downstream

_ARITHMETIC = MOVES | {"Add", "Sub", "Mul", "Div", "Neg"}
_COMPARISONS = frozenset({"Less", "LessOrEqual", "Greater", "GreaterOrEqual"})


class Rates:
    """The tensors of a model that hold a keep probability or a drop rate."""

    def __init__(self, model: onnx.ModelProto) -> None:
        """Index a model."""
        self._readers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in every_node(model):
            for name in node.input:
                self._readers[name].append(node)
        self._uniform = _uniform_tensors(model, self._readers)

    def neutral(self, name: str) -> float | None:
        """Return the value of a tensor at which nothing is dropped; None for a tensor that is no rate."""
        return _neutral(name, self._readers, self._uniform)


def _uniform_tensors(model: onnx.ModelProto, readers: dict[str, list[onnx.NodeProto]]) -> set[str]:
    """Return the uniform draws, and what is made of them by moves and sums."""
    draws = (node for node in every_node(model) if node.op_type in UNIFORM)
    return set(downstream(readers, [name for node in draws for name in node.output], passes=_is_arithmetic))


def _neutral(name: str, readers: dict[str, list[onnx.NodeProto]], uniform: set[str]) -> float | None:
    for current in downstream(readers, [name], passes=_is_arithmetic):
        for node in readers[current]:
            if node.op_type == "Dropout" and list(node.input).index(current) == 1:
                return 0.0
            if node.op_type == "Bernoulli" or (node.op_type in _COMPARISONS and uniform & set(node.input)):
                return 1.0
            if node.op_type == "Floor" and current in uniform:
                return 1.0
    return None


def _is_arithmetic(node: onnx.NodeProto, _: str) -> bool:
    return node.op_type in _ARITHMETIC
