"""ONNX's operators that move elements, and those that mix them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import numpy_helper

from dropaudit_evaluation.spellings.numbers.elementwise import Attributes, Operator
from dropaudit_evaluation.spellings.numbers.values import Value, aligned, axis_behind, integers, known, one, shape_of


def _constant(attributes: Attributes, _: list[Value]) -> tuple[Value, ...]:
    return (one(numpy_helper.to_array(attributes["value"])),)


def _shape(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    return (one(np.asarray(shape_of(inputs[0]), np.int64)),)


def _constant_of_shape(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    return (one(np.zeros(integers(inputs[0]), np.float32)),)


def _expand(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    (value,), target = aligned(inputs[0]), integers(inputs[1])
    value, _target = aligned(value, one(np.zeros(target)))
    shape = np.broadcast_shapes(shape_of(value), target)
    return (np.broadcast_to(value, (value.shape[0], *shape)),)


def _reshape(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    return (inputs[0].reshape(inputs[0].shape[0], *integers(inputs[1])),)


def _transpose(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    return (np.transpose(inputs[0], (0, *(axis + 1 for axis in attributes["perm"]))),)


def _squeeze(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    rank = inputs[0].ndim - 1
    return (np.squeeze(inputs[0], tuple(axis_behind(axis, rank) for axis in integers(inputs[1]))),)


def _unsqueeze(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    axes = integers(inputs[1])
    rank = inputs[0].ndim - 1 + len(axes)
    return (np.expand_dims(inputs[0], tuple(axis_behind(axis, rank) for axis in axes)),)


def _concat(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    replicates = max(value.shape[0] for value in inputs)
    whole = [np.broadcast_to(value, (replicates, *shape_of(value))) for value in inputs]
    return (np.concatenate(whole, axis_behind(attributes["axis"], inputs[0].ndim - 1)),)


def _split(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    ends = np.cumsum(integers(inputs[1]))[:-1]
    return tuple(np.split(inputs[0], ends, axis_behind(attributes["axis"], inputs[0].ndim - 1)))


def _pad(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    pads = integers(inputs[1])
    rank = len(pads) // 2
    return (np.pad(inputs[0], ((0, 0), *zip(pads[:rank], pads[rank:], strict=True))),)


def _gather(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    table, where = inputs
    axis = attributes.get("axis", 0)
    if where.shape[0] == 1:
        return (np.take(table, known(where), axis_behind(axis, table.ndim - 1)),)
    assert axis == 0
    if table.shape[0] == 1:
        return (known(table)[where],)
    replicate = np.arange(where.shape[0]).reshape(-1, *(1,) * (where.ndim - 1))
    return (table[replicate, where],)


def _max_pool(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    sizes = tuple(attributes["kernel_shape"])
    axes = tuple(range(-len(sizes), 0))
    windows = np.lib.stride_tricks.sliding_window_view(inputs[0], sizes, axis=axes)
    return (windows.max(axis=axes),)


def _arg_max(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    axis = axis_behind(attributes["axis"], inputs[0].ndim - 1)
    found = np.argmax(inputs[0], axis=axis)
    return (np.expand_dims(found, axis) if attributes.get("keepdims", 1) else found,)


def _matmul(_: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    return (np.matmul(*aligned(*inputs)),)


def _reduce_sum(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    rank = inputs[0].ndim - 1
    axes = integers(inputs[1]) if len(inputs) > 1 else tuple(range(rank))
    behind = tuple(axis_behind(axis, rank) for axis in axes)
    return (inputs[0].sum(axis=behind, keepdims=bool(attributes.get("keepdims", 1))),)


def _softmax(attributes: Attributes, inputs: list[Value]) -> tuple[Value, ...]:
    axis = axis_behind(attributes["axis"], inputs[0].ndim - 1)
    powers = np.exp(inputs[0] - inputs[0].max(axis=axis, keepdims=True))
    return (powers / powers.sum(axis=axis, keepdims=True),)


MOVING: Mapping[str, Operator] = {
    "ArgMax": _arg_max,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Expand": _expand,
    "Gather": _gather,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Pad": _pad,
    "ReduceSum": _reduce_sum,
    "Reshape": _reshape,
    "Shape": _shape,
    "Softmax": _softmax,
    "Split": _split,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
