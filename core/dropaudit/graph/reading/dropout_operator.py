"""The declarations of the ONNX operator Dropout."""

from __future__ import annotations

import onnx

from dropaudit.graph.reading.constants import values_of
from dropaudit.graph.reading.scope import Scope
from dropaudit.graph.site import Switch

DEFAULT_RATIO = 0.5
FIRST_TRAINABLE_OPSET = 12


def ratio_of(scope: Scope, node: onnx.NodeProto) -> float | None:
    """Return the drop rate of a Dropout, None where the graph computes it."""
    if scope.opset < FIRST_TRAINABLE_OPSET:
        return next((attribute.f for attribute in node.attribute if attribute.name == "ratio"), DEFAULT_RATIO)
    if len(node.input) < 2 or not node.input[1]:
        return DEFAULT_RATIO
    return scope.scalar(node.input[1])


def switch_of(scope: Scope, node: onnx.NodeProto) -> tuple[Switch, str | None, bool]:
    """Return what switches a Dropout, the graph input behind it, and that input's default."""
    if scope.opset < FIRST_TRAINABLE_OPSET or len(node.input) < 3 or not node.input[2]:
        return Switch.OFF, None, False
    name = node.input[2]
    constant = scope.scalar(name)
    if constant is not None:
        return (Switch.ON if constant else Switch.OFF), None, False
    main = scope
    while main.outer is not None:
        if name in main.producers or name in main.inputs:
            return Switch.COMPUTED, None, False
        main = main.outer
    if name not in main.inputs:
        return Switch.COMPUTED, None, False
    for tensor in main.graph.initializer:
        if tensor.name == name:
            return Switch.DEFAULT, name, bool(values_of(tensor).reshape(-1)[0])
    return Switch.INPUT, name, False
