"""ONNX graphs of an LSTM with dropout on its output."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dropaudit_models.weights import LSTMWeights, to_onnx

OPSET = 17
IR_VERSION = 8

# From the name of the tensor to drop and the name of the result to nodes and initializers.
Dropout = Callable[[str, str], tuple[list[onnx.NodeProto], list[onnx.TensorProto]]]


def no_dropout(source: str, result: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Pass everything on."""
    return [helper.make_node("Identity", [source], [result], name="output")], []


def output_dropout(keep_prob: float) -> Dropout:
    """DropoutWrapper's output dropout as the ONNX operator: kept values are divided by `keep_prob`."""

    def build(source: str, result: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        node = helper.make_node("Dropout", [source, "drop_rate", "training"], [result], name="output_dropout")
        return [node], [_scalar("drop_rate", 1 - keep_prob), numpy_helper.from_array(np.array(True), "training")]

    return build


def unscaled_dropout(keep_prob: float) -> Dropout:
    """A fault: a mask of zeros and ones, and no division. The operator always scales, so the mask is spelled out."""

    def build(source: str, result: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        nodes = [
            helper.make_node("RandomUniformLike", [source], ["uniform"], name="draw"),
            helper.make_node("Less", ["uniform", "keep_prob"], ["kept"], name="keep"),
            helper.make_node("Cast", ["kept"], ["mask"], name="mask", to=TensorProto.FLOAT),
            helper.make_node("Mul", [source, "mask"], [result], name="output_dropout"),
        ]
        return nodes, [_scalar("keep_prob", keep_prob)]

    return build


def lstm_model(weights: LSTMWeights, dropout: Dropout) -> onnx.ModelProto:
    """Build x -> y, batch first: x has shape (batch, time, input size), y (batch, time, units).

    The initial state is zero; dropout lies on the output and does not enter the recurrence.
    """
    lstm = to_onnx(weights)
    nodes, initializers = dropout("hidden", "y")
    layer = [
        helper.make_node("Transpose", ["x"], ["x_by_time"], name="time_first", perm=[1, 0, 2]),
        helper.make_node("LSTM", ["x_by_time", "W", "R", "B"], ["states"], name="lstm", hidden_size=weights.units),
        helper.make_node("Squeeze", ["states", "direction"], ["hidden_by_time"], name="one_direction"),
        helper.make_node("Transpose", ["hidden_by_time"], ["hidden"], name="batch_first", perm=[1, 0, 2]),
    ]
    constants = [numpy_helper.from_array(array, name) for name, array in (("W", lstm.w), ("R", lstm.r), ("B", lstm.b))]
    constants.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "direction"))
    graph = helper.make_graph(
        [*layer, *nodes],
        "lstm",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "time", weights.input_size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "time", weights.units])],
        [*constants, *initializers],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="dropaudit"
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _scalar(name: str, value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, dtype=np.float32), name)
