"""Graph inputs that hold a keep probability or a drop rate."""

from __future__ import annotations

import onnx

from dropaudit.graph.draws.rates import Rates


def rate_inputs(model: onnx.ModelProto) -> dict[str, float]:
    """Return the scalar inputs that decide how much is dropped.

    Returns:
        By input, the value at which nothing is dropped: 0 for the ratio of a Dropout, 1 for a keep probability that a
        uniform draw is compared with or a Bernoulli draws by.
    """
    scalars = [value.name for value in model.graph.input if _is_scalar(value)]
    if not scalars:
        return {}
    rates = Rates(model)
    neutral = ((name, rates.neutral(name)) for name in scalars)
    return {name: value for name, value in neutral if value is not None}


def _is_scalar(value: onnx.ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    floating = tensor.elem_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
    return floating and all(dim.dim_value == 1 for dim in tensor.shape.dim)
