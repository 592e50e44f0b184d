"""ONNX's operators that work element by element, as its documents define them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper
from scipy.special import erf, expit

from dropaudit_evaluation.spellings.numbers.values import Value, aligned

Attributes = Mapping[str, Any]
Operator = Callable[[Attributes, list[Value]], tuple[Value, ...]]


def _ufunc(function: Callable[..., Any]) -> Operator:
    def operator(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
        with np.errstate(all="ignore"):
            result = function(*aligned(*inputs))
        return (np.asarray(result),)

    return operator


def _same_type(function: Callable[..., Any]) -> Operator:
    def operator(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
        with np.errstate(all="ignore"):
            result = np.asarray(function(*aligned(*inputs)))
        return (result.astype(inputs[0].dtype),)

    return operator


def _over_all(function: Callable[[Any, Any], Any]) -> Operator:
    def operator(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
        first, *others = aligned(*inputs)
        for other in others:
            first = function(first, other)
        return (first,)

    return operator


def _cast(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    dtype = helper.tensor_dtype_to_np_dtype(attributes["to"])
    if dtype == np.bool_:
        return (inputs[0] != 0,)
    return (inputs[0].astype(dtype),)


def _clip(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    low, high = [each.reshape(()) for each in inputs[1:]]
    return (np.clip(inputs[0], low, high),)


def _mod(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    one, other = aligned(*inputs)
    return (np.fmod(one, other) if attributes.get("fmod") else np.mod(one, other),)


def _thresholded_relu(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    return (np.where(inputs[0] > attributes.get("alpha", 1.0), inputs[0], inputs[0].dtype.type(0)),)


def _quantize(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    numbers, scale, zero = aligned(*inputs)
    return (np.clip(np.rint(numbers / scale) + zero, 0, 255).astype(np.uint8),)


def _dequantize(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    steps, scale, zero = aligned(*inputs)
    return ((steps.astype(np.int32) - zero.astype(np.int32)).astype(scale.dtype) * scale,)


def _divide(one: Value, other: Value) -> Any:
    return one // other if one.dtype.kind in "iu" else one / other


ELEMENTWISE: Mapping[str, Operator] = {
    "Abs": _ufunc(np.abs),
    "Add": _ufunc(np.add),
    "And": _ufunc(np.logical_and),
    "Atan": _same_type(np.arctan),
    "Cast": _cast,
    "Ceil": _ufunc(np.ceil),
    "Clip": _clip,
    "Cos": _same_type(np.cos),
    "DequantizeLinear": _dequantize,
    "Div": _ufunc(_divide),
    "Equal": _ufunc(np.equal),
    "Erf": _same_type(erf),
    "Exp": _same_type(np.exp),
    "Floor": _ufunc(np.floor),
    "Greater": _ufunc(np.greater),
    "GreaterOrEqual": _ufunc(np.greater_equal),
    "Identity": lambda _, inputs: (inputs[0],),
    "Less": _ufunc(np.less),
    "LessOrEqual": _ufunc(np.less_equal),
    "Log": _same_type(np.log),
    "Max": _over_all(np.maximum),
    "Min": _over_all(np.minimum),
    "Mod": _mod,
    "Mul": _ufunc(np.multiply),
    "Neg": _ufunc(np.negative),
    "Not": _ufunc(np.logical_not),
    "Or": _ufunc(np.logical_or),
    "Pow": _same_type(np.power),
    "QuantizeLinear": _quantize,
    "Reciprocal": _same_type(np.reciprocal),
    "Relu": _same_type(lambda x: np.maximum(x, 0)),
    "Round": _ufunc(np.rint),
    "Sigmoid": _same_type(expit),
    "Sign": _ufunc(np.sign),
    "Softplus": _same_type(lambda x: np.logaddexp(x, 0)),
    "Softsign": _same_type(lambda x: x / (1 + np.abs(x))),
    "Sqrt": _same_type(np.sqrt),
    "Sub": _ufunc(np.subtract),
    "Tanh": _same_type(np.tanh),
    "ThresholdedRelu": _thresholded_relu,
    "Where": _ufunc(np.where),
    "Xor": _ufunc(np.logical_xor),
}


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """Return a node's attributes by name."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
