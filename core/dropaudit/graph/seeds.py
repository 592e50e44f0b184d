"""Seeds that random operators carry."""

from __future__ import annotations

from collections.abc import Callable

import onnx

from dropaudit.graph.rewrite import copy_of, graphs_of


def holds_seeds(model: onnx.ModelProto) -> bool:
    """Whether any operator carries a seed."""
    return any(
        attribute.name == "seed"
        for graph, _ in graphs_of(model.graph)
        for node in graph.node
        for attribute in node.attribute
    )


def holds_dropout(model: onnx.ModelProto) -> bool:
    """Whether any operator is a Dropout."""
    return any(node.op_type == "Dropout" for graph, _ in graphs_of(model.graph) for node in graph.node)


def seeded(model: onnx.ModelProto, draw_seed: Callable[[], int]) -> onnx.ModelProto:
    """Give every Dropout a seed of its own, and with it a generator of its own.

    Dropout(x, r, t) -> y      becomes      Dropout<seed = 1234567>(x, r, t) -> y

    Without one all Dropout operators of a process draw from one generator, so that what a run draws depends on what
    else runs. Other random operators take a generator of their own when their session is made.
    """
    changed = copy_of(model)
    for graph, _ in graphs_of(changed.graph):
        for node in graph.node:
            if node.op_type == "Dropout":
                node.attribute.append(onnx.helper.make_attribute("seed", draw_seed()))
    return changed
