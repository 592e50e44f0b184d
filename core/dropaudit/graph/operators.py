"""Dropout operators as sites."""

from __future__ import annotations

import onnx

from dropaudit.graph.placement import place
from dropaudit.graph.scope import Scope
from dropaudit.graph.site import GraphSite, Switch
from dropaudit.report import Implementation

DEFAULT_RATIO = 0.5
FIRST_TRAINABLE_OPSET = 12


def dropout_operators(scope: Scope) -> list[GraphSite]:
    """Return the Dropout operators of a graph that declare a drop rate above zero.

    Dropout(x, ratio, training_mode) -> y : source x, result y, declared keep probability 1 - ratio.
    """
    found = []
    for node in scope.graph.node:
        if node.op_type == "Dropout" and node.domain in ("", "ai.onnx"):
            ratio = _ratio(scope, node)
            if ratio is None or ratio > 0:
                found.append(_site(scope, node, ratio))
    return found


def _site(scope: Scope, node: onnx.NodeProto, ratio: float | None) -> GraphSite:
    switch, switch_input, default_on = _switch(scope, node)
    ratio_input = node.input[1] if len(node.input) > 1 and node.input[1] in scope.inputs else None
    return GraphSite(
        name=node.name,
        path=scope.path,
        implementation=Implementation.DROPOUT_OP,
        placement=place(scope, node.input[0], node.output[0]),
        declared_keep_prob=None if ratio is None else 1 - ratio,
        source=node.input[0],
        result=node.output[0],
        switch=switch,
        switch_input=switch_input,
        default_on=default_on,
        ratio_input=ratio_input,
    )


def _ratio(scope: Scope, node: onnx.NodeProto) -> float | None:
    if scope.opset < FIRST_TRAINABLE_OPSET:
        return next((attribute.f for attribute in node.attribute if attribute.name == "ratio"), DEFAULT_RATIO)
    if len(node.input) < 2 or not node.input[1]:
        return DEFAULT_RATIO
    return scope.scalar(node.input[1])


def _switch(scope: Scope, node: onnx.NodeProto) -> tuple[Switch, str | None, bool]:
    """Return what switches a Dropout, the graph input behind it, and that input's default."""
    if scope.opset < FIRST_TRAINABLE_OPSET or len(node.input) < 3 or not node.input[2]:
        return Switch.OFF, None, False
    name = node.input[2]
    constant = scope.scalar(name)
    if constant is not None:
        return (Switch.ON if constant else Switch.OFF), None, False
    if name not in scope.inputs or scope.path:
        return Switch.COMPUTED, None, False
    for tensor in scope.graph.initializer:
        if tensor.name == name:
            return Switch.DEFAULT, name, bool(onnx.numpy_helper.to_array(tensor).reshape(-1)[0])
    return Switch.INPUT, name, False
