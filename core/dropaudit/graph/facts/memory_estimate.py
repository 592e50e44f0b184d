"""An estimate of how much memory a run needs."""

from __future__ import annotations

import math
from collections.abc import Mapping

import onnx

from dropaudit.graph.facts.compute_estimate import shapes_of

# An LSTM keeps four gates beside what it returns, a GRU three.
_KEPT = {"LSTM": 5, "GRU": 4}


def working_elements(model: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return how many numbers a run makes in the main graph, as far as shapes can be inferred.

    Args:
        model: the model.
        shapes: of what it is fed, by input.
    """
    found = shapes_of(model, shapes)
    return sum(
        _KEPT.get(node.op_type, 1) * max((math.prod(found.get(name, (0,))) for name in node.output), default=0)
        for node in model.graph.node
    )


def weight_elements(model: onnx.ModelProto) -> int:
    """Return how many numbers a model holds in its main graph."""
    return sum(math.prod(tensor.dims) for tensor in model.graph.initializer)
