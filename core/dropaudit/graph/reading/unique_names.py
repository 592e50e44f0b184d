"""A pass that gives every node a name of its own."""

from __future__ import annotations

from collections import Counter

import onnx


def name_nodes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy in which each node of each graph has a unique name.

        Dropout(x) -> y ; Dropout(y) -> z      becomes      Dropout_0: Dropout(x) -> y ; Dropout_1: Dropout(y) -> z

    Names that are already unique stay.
    """
    named = onnx.ModelProto()
    named.CopyFrom(model)
    _name_graph(named.graph, set(), Counter())
    return named


def _name_graph(graph: onnx.GraphProto, taken: set[str], tried: Counter[str]) -> None:
    for node in graph.node:
        if not node.name or node.name in taken:
            node.name = _free_name(node, taken, tried)
        taken.add(node.name)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                _name_graph(attribute.g, taken, tried)


def _free_name(node: onnx.NodeProto, taken: set[str], tried: Counter[str]) -> str:
    stem = node.name or node.op_type
    while f"{stem}_{tried[stem]}" in taken:
        tried[stem] += 1
    return f"{stem}_{tried[stem]}"
