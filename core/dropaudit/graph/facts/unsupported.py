"""Models that are valid and that this runtime cannot run, told before it says so in its own words, or ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.reading.dropout_operator import FIRST_TRAINABLE_OPSET, ratio_of
from dropaudit.graph.reading.random_types import DRAWS, NORMAL
from dropaudit.graph.reading.scope import Scope, opset_of
from dropaudit.graph.reading.scope import scopes as scopes_of

_FIRST_OPSET = 7
_NO_KERNEL = "Could not find an implementation"
# Since this opset random operators know bfloat16, and the runtime does not know them.
_NEW_DRAWS = 22


def check_runnable(scopes: Iterable[Scope]) -> None:
    """Look for what ONNX Runtime cannot run, in all graphs of a model.

    Raises:
        InvalidModel: the model's operator set is older than the runtime's kernels.
        ExecutionFailed: an operator draws with a deviation below 0, or drops with a rate outside [0, 1).
    """
    for scope in scopes:
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


@contextmanager
def missing_kernels_explained(model: onnx.ModelProto) -> Iterator[None]:
    """Say why an operator has no kernel: a model computes in bfloat16, or draws by an operator of a new opset.

    Raises:
        InvalidModel: what the runtime says of the model, or this in its place.
    """
    try:
        yield
    except InvalidModel as error:
        why = _without_kernel(model, error.message) if _NO_KERNEL in error.message else None
        if why is None:
            raise
        raise InvalidModel(f"{why} ({error.message})") from error


def _without_kernel(model: onnx.ModelProto, message: str) -> str | None:
    if _computes_in_bfloat16(model):
        return (
            "the model computes in bfloat16, for which ONNX Runtime lacks kernels on this device; convert it to "
            "float32, or audit it on CUDA"
        )
    missing = next((name for name in sorted(DRAWS) if f"for {name}(" in message), None)
    opset = opset_of(model)
    if missing is None or opset < _NEW_DRAWS:
        return None
    return (
        f"the model draws by {missing} of opset {opset}, for which ONNX Runtime has no kernel; export it at opset "
        f"{_NEW_DRAWS - 1}"
    )


def _computes_in_bfloat16(model: onnx.ModelProto) -> bool:
    return any(onnx.TensorProto.BFLOAT16 in _types(scope.graph) for scope in scopes_of(model))


def _types(graph: onnx.GraphProto) -> Iterator[int]:
    for value in (*graph.input, *graph.output, *graph.value_info):
        yield value.type.tensor_type.elem_type
    for tensor in graph.initializer:
        yield tensor.data_type
    for node in graph.node:
        yield from (attribute.i for attribute in node.attribute if node.op_type == "Cast" and attribute.name == "to")
