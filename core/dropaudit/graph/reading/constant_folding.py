"""Constant folding in numpy, for the operators in which graphs compute rates and factors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

Constant = NDArray[Any]
Operator = Callable[..., Constant]

# Rates, factors and masks are small; what is larger stays as the graph computes it.
_MOST_ELEMENTS = 2**20
# Operators that multiply many numbers for each that they make, and how many they may take.
_PRODUCTS = frozenset({"MatMul", "Gemm", "Einsum"})
_MOST_IN_PRODUCTS = 2**16
# Its limits were attributes before.
_CLIP_BY_INPUTS = 11

_PLAIN: dict[str, Operator] = {
    "Abs": np.abs, "Neg": np.negative, "Sign": np.sign, "Floor": np.floor, "Ceil": np.ceil, "Round": np.rint,
    "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Tanh": np.tanh, "Not": np.logical_not,
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply,
    "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor, "Equal": np.equal,
    "Less": np.less, "LessOrEqual": np.less_equal, "Greater": np.greater, "GreaterOrEqual": np.greater_equal,
    "BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor, "BitwiseNot": np.invert,
    "Identity": lambda x: x,
    "Reciprocal": lambda x: 1 / x,
    "Relu": lambda x: np.maximum(x, 0),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Softplus": lambda x: np.logaddexp(x, 0), "Softsign": lambda x: x / (1 + np.abs(x)),
    "Erf": np.vectorize(math.erf, otypes=[np.float64]),
    "Sin": np.sin, "Cos": np.cos, "Tan": np.tan, "Atan": np.arctan,
    "MatMul": np.matmul,
    "Where": np.where,
    "Reshape": lambda x, shape: x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())]),
    "Expand": lambda x, shape: np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(shape.tolist()))),
    "Tile": lambda x, repeats: np.tile(x, repeats.tolist()),
    "Range": lambda start, stop, step: np.arange(start.item(), stop.item(), step.item(), dtype=start.dtype),
    "Size": lambda x: np.array(x.size, dtype=np.int64),
    "Min": lambda *xs: _joined(np.minimum, xs),
    "Max": lambda *xs: _joined(np.maximum, xs),
    "Sum": lambda *xs: _joined(np.add, xs),
    "Mean": lambda *xs: _joined(np.add, xs) / xs[0].dtype.type(len(xs)),
    "CastLike": lambda x, like: x.astype(like.dtype),
}  # fmt: skip
# Operators that may make far more than they take: their result is known before it is made.
_GROWING = frozenset({"Expand", "Tile", "ConstantOfShape", "Range"})


def fold(node: onnx.NodeProto, inputs: Sequence[Constant | None], opset: int) -> Constant | None:
    """Return what a node of one output makes of constants; None where that is not known, or is large.

    Div(1, Sub(1, 0.2)) -> 1.25

    Args:
        node: the operator.
        inputs: the values of all its inputs, None for one that is left out.
        opset: version of the default operator set, in which some attributes became inputs.
    """
    given = [value for value in inputs if value is not None]
    most = _MOST_IN_PRODUCTS if node.op_type in _PRODUCTS else _MOST_ELEMENTS
    if not given or sum(value.size for value in given) > most:
        return None
    if node.op_type == "Clip" and opset >= _CLIP_BY_INPUTS:
        return _clipped(inputs)
    if len(given) < len(inputs) or not _is_bounded(node, given):
        return None
    with np.errstate(all="ignore"):
        try:
            found = _folded(node, given, opset)
        except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError):
            # The runtime says what is wrong with it.
            return None
    return None if found is None or found.size > _MOST_ELEMENTS else found


def split(node: onnx.NodeProto, known: Mapping[str, Constant], opset: int) -> dict[str, Constant]:
    """Return the parts that a Split makes of a constant; nothing where its sizes are not known.

    Args:
        node: the operator.
        known: constants by name.
        opset: version of the default operator set.
    """
    value, axis = known[node.input[0]], int(_attribute(node, "axis", 0))
    if value.size > _MOST_ELEMENTS:
        return {}
    if opset >= 13 and len(node.input) > 1 and node.input[1]:
        if node.input[1] not in known:
            return {}
        sizes = known[node.input[1]].tolist()
    else:
        extent, count = value.shape[axis], len(node.output)
        size = -(-extent // count)
        sizes = _attribute(node, "split") or [size] * (count - 1) + [extent - size * (count - 1)]
    edges = np.cumsum(sizes)[:-1].tolist()
    return dict(zip(node.output, np.split(value, edges, axis=axis), strict=True))


def _folded(node: onnx.NodeProto, inputs: list[Constant], opset: int) -> Constant | None:
    special = _SPECIAL.get(node.op_type)
    if special is not None:
        return special(node, inputs, opset)
    plain = _PLAIN.get(node.op_type)
    if plain is None:
        return None
    found = np.asarray(plain(*inputs))
    # numpy widens what the operator keeps, as single precision under a root of a whole number.
    return found.astype(inputs[-1].dtype) if found.dtype.kind == "f" and inputs[-1].dtype.kind == "f" else found


def _is_bounded(node: onnx.NodeProto, inputs: Sequence[Constant]) -> bool:
    if node.op_type not in _GROWING:
        return True
    if node.op_type == "Range":
        start, stop, step = (float(value.reshape(-1)[0]) for value in inputs)
        return step != 0 and abs((stop - start) / step) <= _MOST_ELEMENTS
    base = inputs[0].size if node.op_type in ("Expand", "Tile") else 1
    target = float(np.prod(np.abs(inputs[-1].astype(np.float64)))) if inputs[-1].size else 1.0
    return max(1, base) * target <= _MOST_ELEMENTS


def _joined(operator: np.ufunc, values: Sequence[Constant]) -> Constant:
    found = values[0]
    for value in values[1:]:
        found = operator(found, value)
    return found


def _attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    return next((helper.get_attribute_value(each) for each in node.attribute if each.name == name), default)


def _div(_: onnx.NodeProto, inputs: list[Constant], __: int) -> Constant:
    first, second = inputs
    if first.dtype.kind == "f":
        return np.asarray(first / second)
    # Whole numbers are divided toward zero.
    return np.asarray(np.sign(first) * np.sign(second) * (np.abs(first) // np.abs(second))).astype(first.dtype)


def _pow(_: onnx.NodeProto, inputs: list[Constant], __: int) -> Constant:
    return np.asarray(np.power(inputs[0].astype(np.float64), inputs[1])).astype(inputs[0].dtype)


def _mod(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return np.asarray(np.fmod(*inputs) if _attribute(node, "fmod", 0) else np.mod(*inputs))


def _cast(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return inputs[0].astype(helper.tensor_dtype_to_np_dtype(int(_attribute(node, "to"))))


def _bit_shift(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    shift = np.left_shift if _attribute(node, "direction") == b"LEFT" else np.right_shift
    return np.asarray(shift(*inputs))


def _clipped(inputs: Sequence[Constant | None]) -> Constant | None:
    value, low, high = (*inputs, None, None)[:3]
    if value is None:
        return None
    return value if low is None and high is None else np.clip(value, low, high)


def _clip(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return np.clip(inputs[0], _attribute(node, "min", -np.inf), _attribute(node, "max", np.inf))


def _constant_of_shape(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    value = _attribute(node, "value")
    fill = np.float32(0) if value is None else onnx.numpy_helper.to_array(value).reshape(-1)[0]
    return np.full(tuple(inputs[0].tolist()), fill)


def _axes(node: onnx.NodeProto, inputs: list[Constant]) -> list[int] | None:
    if len(inputs) > 1:
        return [int(axis) for axis in inputs[1].reshape(-1)]
    found = _attribute(node, "axes")
    return None if found is None else [int(axis) for axis in found]


def _squeeze(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    axes = _axes(node, inputs)
    return np.squeeze(inputs[0], axis=None if axes is None else tuple(axes))


def _unsqueeze(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return np.expand_dims(inputs[0], tuple(_axes(node, inputs) or ()))


def _transpose(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return np.transpose(inputs[0], _attribute(node, "perm"))


def _concat(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return np.concatenate(inputs, axis=int(_attribute(node, "axis")))


def _gather(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return np.take(inputs[0], inputs[1], axis=int(_attribute(node, "axis", 0)))


def _slice(_: onnx.NodeProto, inputs: list[Constant], opset: int) -> Constant | None:
    if opset < 10:
        return None
    value, starts, ends = inputs[0], inputs[1].tolist(), inputs[2].tolist()
    axes = inputs[3].tolist() if len(inputs) > 3 else list(range(len(starts)))
    steps = inputs[4].tolist() if len(inputs) > 4 else [1] * len(starts)
    if any(step < 0 for step in steps):
        return None
    place: list[slice] = [slice(None)] * value.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        place[axis] = slice(start, end, step)
    return np.asarray(value[tuple(place)])


def _quantize(_: onnx.NodeProto, inputs: list[Constant], __: int) -> Constant | None:
    value, scale = inputs[:2]
    zero = inputs[2] if len(inputs) > 2 else np.zeros((), np.uint8)
    if scale.size != 1:
        return None
    limits = np.iinfo(zero.dtype)
    found = np.asarray(np.rint(value / scale.reshape(())) + int(zero.reshape(-1)[0]))
    return found.clip(limits.min, limits.max).astype(zero.dtype)


def _dequantize(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant | None:
    """By one scale, or by one for each index of an axis."""
    value, scale = inputs[:2]
    zero = inputs[2].astype(np.int64) if len(inputs) > 2 else np.zeros(scale.shape, np.int64)
    axis = int(_attribute(node, "axis", 1)) % max(1, value.ndim)
    along = (-1, *(1,) * (value.ndim - axis - 1)) if scale.size > 1 else ()
    if scale.ndim > 1 or (scale.size > 1 and scale.size != value.shape[axis]):
        return None
    return np.asarray((value.astype(np.int64) - zero.reshape(along)) * scale.reshape(along)).astype(scale.dtype)


def _dropout(node: onnx.NodeProto, inputs: list[Constant], opset: int) -> Constant | None:
    """A Dropout that never drops passes a constant on."""
    on = opset >= 12 and len(inputs) > 2 and bool(np.any(inputs[2]))
    return None if on else inputs[0]


def _shape(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    sizes = inputs[0].shape[_attribute(node, "start", 0) : _attribute(node, "end", None)]
    return np.array(sizes, dtype=np.int64)


_REDUCTIONS: dict[str, Operator] = {
    "ReduceSum": np.sum, "ReduceMean": np.mean, "ReduceMax": np.max, "ReduceMin": np.min, "ReduceProd": np.prod,
    "ReduceL1": lambda x, **along: np.sum(np.abs(x), **along),
    "ReduceL2": lambda x, **along: np.sqrt(np.sum(np.square(x), **along)),
    "ReduceSumSquare": lambda x, **along: np.sum(np.square(x), **along),
    "ReduceLogSum": lambda x, **along: np.log(np.sum(x, **along)),
    "ReduceLogSumExp": lambda x, **along: np.logaddexp.reduce(x, **along),
}  # fmt: skip


def _reduce(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    axes = _axes(node, inputs)
    if not axes and _attribute(node, "noop_with_empty_axes", 0):
        return inputs[0]
    along = tuple(axes) if axes else tuple(range(inputs[0].ndim))
    found = _REDUCTIONS[node.op_type](inputs[0], axis=along, keepdims=bool(_attribute(node, "keepdims", 1)))
    return np.asarray(found).astype(inputs[0].dtype)


def _gemm(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    first, second = (
        each.T if _attribute(node, name, 0) else each for each, name in zip(inputs, ("transA", "transB"), strict=False)
    )
    found = _attribute(node, "alpha", 1.0) * (first @ second)
    if len(inputs) > 2:
        found = found + _attribute(node, "beta", 1.0) * inputs[2]
    return np.asarray(found).astype(first.dtype)


def _einsum(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    return np.asarray(np.einsum(_attribute(node, "equation").decode(), *inputs))


def _softmax(node: onnx.NodeProto, inputs: list[Constant], opset: int) -> Constant | None:
    """Before opset 13 all further axes were one."""
    value, axis = inputs[0], int(_attribute(node, "axis", -1 if opset >= 13 else 1))
    if opset < 13 and axis % max(1, value.ndim) != value.ndim - 1:
        return None
    exact = value.astype(np.float64)
    logarithms = exact - np.logaddexp.reduce(exact, axis=axis, keepdims=True)
    found = logarithms if node.op_type == "LogSoftmax" else np.exp(logarithms)
    return np.asarray(found).astype(value.dtype)


def _flatten(node: onnx.NodeProto, inputs: list[Constant], _: int) -> Constant:
    value, axis = inputs[0], int(_attribute(node, "axis", 1))
    rows = math.prod(value.shape[: axis if axis >= 0 else axis + value.ndim])
    return value.reshape(rows, value.size // max(1, rows))


_SPECIAL: dict[str, Callable[[onnx.NodeProto, list[Constant], int], Constant | None]] = {
    "Div": _div, "Pow": _pow, "Mod": _mod, "Cast": _cast, "Clip": _clip, "ConstantOfShape": _constant_of_shape,
    "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Transpose": _transpose, "Concat": _concat, "Gather": _gather,
    "Slice": _slice, "QuantizeLinear": _quantize, "DequantizeLinear": _dequantize, "Shape": _shape, "Dropout": _dropout,
    "Gemm": _gemm, "Einsum": _einsum, "Softmax": _softmax, "LogSoftmax": _softmax, "Flatten": _flatten,
    "BitShift": _bit_shift, **dict.fromkeys(_REDUCTIONS, _reduce),
}  # fmt: skip
