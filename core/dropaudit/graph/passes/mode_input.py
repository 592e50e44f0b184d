"""A pass that lets an input say in which mode a model runs, where Dropout operators alone tell the modes apart."""

from __future__ import annotations

from collections.abc import Collection

import onnx
from onnx import helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of

# The input that holds the training mode, of one truth value.
MODE = f"{PREFIX}training"


def switched_operators(train: onnx.ModelProto, silent: onnx.ModelProto) -> frozenset[str]:
    """Return the names of the Dropout operators whose training mode alone tells two models apart.

    Empty where they differ in more, such as in a body, or do not differ.

    Args:
        train: a model.
        silent: the same without its randomness.
    """
    if len(train.graph.node) != len(silent.graph.node):
        return frozenset()
    pairs = [pair for pair in zip(train.graph.node, silent.graph.node, strict=True) if pair[0] != pair[1]]
    return frozenset(own.name for own, _ in pairs) if all(_differ_in_mode(*pair) for pair in pairs) else frozenset()


def _differ_in_mode(own: onnx.NodeProto, other: onnx.NodeProto) -> bool:
    if own.op_type != "Dropout" or len(own.input) != 3:
        return False
    alike = onnx.NodeProto()
    alike.CopyFrom(own)
    alike.input[2] = other.input[2] if len(other.input) == 3 else ""
    return bool(alike == other)


def with_mode_input(model: onnx.ModelProto, operators: Collection[str]) -> onnx.ModelProto:
    """Let an input be the training mode of some Dropout operators of the main graph.

    Dropout(x, 0.5, True) -> y      becomes, with the input dropaudit/training,      Dropout(x, 0.5, training) -> y
    """
    changed = copy_of(model)
    for node in changed.graph.node:
        if node.name in operators:
            node.input[2] = MODE
    changed.graph.input.append(helper.make_tensor_value_info(MODE, onnx.TensorProto.BOOL, []))
    return changed
