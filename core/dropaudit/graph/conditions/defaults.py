"""Constants that a file lists among the inputs of its graph."""

from __future__ import annotations

import onnx

from dropaudit.graph.facts.rate_inputs import rate_inputs

# Since this version of the format, an initializer that is an input as well may be fed.
_OVERRIDABLE_SINCE = 4
_FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE})


def settle_defaults(model: onnx.ModelProto) -> None:
    """Take initializers out of a graph's inputs where nobody is meant to feed them; the model is changed.

        (float[N,16] x, float[16,16] w = {…}, float q = {0.7}, bool training = {0})      becomes
        (float[N,16] x, bool training = {0}) with the constants w and q

    Old versions of the format list every initializer so, and the runtime takes all of them for constants; exporters to
    newer ones may still list every one. Truth values stay, as switches do, and so do inputs with a default beside
    constants that are not inputs.
    """
    inputs = {value.name for value in model.graph.input}
    defaults = [tensor for tensor in model.graph.initializer if tensor.name in inputs]
    if model.ir_version < _OVERRIDABLE_SINCE:
        settled = {tensor.name for tensor in defaults}
    elif _lists_every_one(model, inputs):
        settled = {tensor.name for tensor in defaults if tensor.data_type != onnx.TensorProto.BOOL}
    else:
        return
    for position in reversed(range(len(model.graph.input))):
        if model.graph.input[position].name in settled:
            del model.graph.input[position]


def _lists_every_one(model: onnx.ModelProto, inputs: set[str]) -> bool:
    """Whether all numbers are inputs, also one at least that does not say how much is dropped."""
    numbers = [tensor for tensor in model.graph.initializer if tensor.data_type != onnx.TensorProto.BOOL]
    if not all(tensor.name in inputs for tensor in numbers):
        return False
    rates = rate_inputs(model)
    return any(tensor.name not in rates and tensor.data_type in _FLOATS for tensor in numbers)
