"""Batch normalization in training that an exporter spelled out."""

from __future__ import annotations

import onnx

from dropaudit.graph.reading.scope import Scope

_DEEPEST = 6
_BETWEEN = frozenset({"Sub", "Mul", "Pow", "Squeeze", "Add", "Abs"})


def batch_moments(scope: Scope) -> tuple[str, ...]:
    """Return the nodes that take a variance over the first axis, as training batch normalization does.

        ReduceMean<axes = [0, 1]>(x) -> m ; Sub(x, m) -> d ; Mul(d, d) -> s ; ReduceMean<axes = [0, 1]>(s) -> v
        Add(v, epsilon) ; Sqrt

    A layer normalization reduces over the last axes, and does not count.
    """
    return tuple(
        node.name
        for node in scope.graph.node
        if node.op_type == "ReduceMean"
        and 0 in _axes(scope, node)
        and _follows_a_mean(scope, node)
        and _is_rooted(scope, node)
    )


def _axes(scope: Scope, node: onnx.NodeProto) -> list[int]:
    for attribute in node.attribute:
        if attribute.name == "axes":
            return list(attribute.ints)
    if len(node.input) > 1 and node.input[1] in scope.constants:
        return [int(axis) for axis in scope.constants[node.input[1]].reshape(-1)]
    return []


def _follows_a_mean(scope: Scope, node: onnx.NodeProto) -> bool:
    """Whether a node averages data that another average over the same axes went into."""
    waiting = [node.input[0]]
    for _ in range(_DEEPEST):
        makers = [scope.producers[name] for name in waiting if name in scope.producers]
        if any(maker.op_type == "ReduceMean" and _axes(scope, maker) == _axes(scope, node) for maker in makers):
            return True
        waiting = [name for maker in makers if maker.op_type in _BETWEEN for name in maker.input]
    return False


def _is_rooted(scope: Scope, node: onnx.NodeProto) -> bool:
    """Whether a square root, or a power, is taken of a variance."""
    waiting = [node.output[0]]
    for _ in range(_DEEPEST):
        readers = [reader for name in waiting for reader in scope.consumers.get(name, [])]
        if any(reader.op_type in ("Sqrt", "Pow") for reader in readers):
            return True
        waiting = [name for reader in readers if reader.op_type in _BETWEEN for name in reader.output]
    return False
