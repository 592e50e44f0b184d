"""Models that are valid and that this runtime cannot run, told before it says so in its own words, or ends."""

from __future__ import annotations

import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.reading.dropout_operator import FIRST_TRAINABLE_OPSET, ratio_of
from dropaudit.graph.reading.random_types import NORMAL
from dropaudit.graph.reading.scope import Scope, scopes

_FIRST_OPSET = 7


def check_runnable(model: onnx.ModelProto) -> None:
    """Look for what ONNX Runtime cannot run.

    Raises:
        InvalidModel: the model's operator set is older than the runtime's kernels.
        ExecutionFailed: an operator draws with a deviation below 0, or drops with a rate outside [0, 1).
    """
    for scope in scopes(model):
        if scope.opset < _FIRST_OPSET and any(node.op_type == "Dropout" for node in scope.graph.node):
            raise InvalidModel(
                f"the model holds Dropout of opset {scope.opset}, for which ONNX Runtime has no kernel; convert it to "
                f"opset {FIRST_TRAINABLE_OPSET} or later (onnx.version_converter), which has a train mode too"
            )
        for node in scope.graph.node:
            _check_node(scope, node)


def _check_node(scope: Scope, node: onnx.NodeProto) -> None:
    if node.op_type in NORMAL:
        scale = next((attribute.f for attribute in node.attribute if attribute.name == "scale"), 1.0)
        if not scale >= 0:
            raise ExecutionFailed(
                f"node {node.name!r} draws normal numbers of standard deviation {scale:g}, which no distribution has; "
                "give it a scale above 0"
            )
    if node.op_type == "Dropout" and scope.opset >= FIRST_TRAINABLE_OPSET:
        ratio = ratio_of(scope, node)
        if ratio is not None and not 0 <= ratio < 1:
            raise ExecutionFailed(
                f"node {node.name!r} has drop rate {ratio:g}; ONNX Runtime wants a rate in [0, 1), and one of 1 would "
                "leave nothing"
            )
