"""Tensors of a graph whose value is known without running it."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from dropaudit.errors import InvalidModel
from dropaudit.graph.reading.constant_folding import fold, split
from dropaudit.graph.reading.held_weights import held_values

Constants = dict[str, NDArray[Any]]

_SCALAR_ATTRIBUTES = {"value_float": np.float32, "value_int": np.int64}
_LIST_ATTRIBUTES = {"value_floats": np.float32, "value_ints": np.int64}


def constants_of(
    graph: onnx.GraphProto, opset: int, outer: Constants | None = None, given: Constants | None = None
) -> Constants:
    """Return the constants that nodes of `graph` can see, by name; what nodes make of constants alone is one.

    An initializer that is also a graph input is a default that a caller may override, and therefore not a constant.

    Args:
        graph: a main graph or the body of a control-flow operator.
        opset: version of the default operator set.
        outer: constants of the enclosing scope, which bodies see.
        given: values of graph inputs that stay as they are.
    """
    overridable = {value.name for value in graph.input}
    found: Constants = {name: value for name, value in (outer or {}).items() if name not in overridable}
    for tensor in graph.initializer:
        if tensor.name not in overridable:
            found[tensor.name] = values_of(tensor)
    found |= given or {}
    for node in graph.node:
        found |= _results(node, found, opset)
    return found


def known_with(
    given: Mapping[str, NDArray[Any]],
    known: Constants,
    readers: Mapping[str, Sequence[onnx.NodeProto]],
    opset: int,
) -> Constants:
    """Return what becomes known once more tensors are, those tensors included.

    Args:
        given: their values, by name.
        known: the constants of its graph.
        readers: the nodes that read a tensor.
        opset: version of the default operator set.
    """
    found: Constants = dict(given)
    everything, waiting = ChainMap(found, known), [*given]
    while waiting:
        for node in readers.get(waiting.pop(), ()):
            for made, result in _results(node, everything, opset).items():
                if made not in found:
                    found[made] = result
                    waiting.append(made)
    return found


def _results(node: onnx.NodeProto, known: Mapping[str, NDArray[Any]], opset: int) -> Constants:
    value = _value_of(node, known, opset)
    if value is not None:
        return {node.output[0]: value}
    return split(node, known, opset) if node.op_type == "Split" and node.input[0] in known else {}


def values_of(tensor: onnx.TensorProto) -> NDArray[Any]:
    """Return the values of a tensor. Raises InvalidModel when they do not fit its type and shape."""
    held = held_values(tensor)
    if held is not None:
        return held.values
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise InvalidModel(f"the values of tensor {tensor.name!r} do not fit its type and shape") from error


def _value_of(node: onnx.NodeProto, known: Mapping[str, NDArray[Any]], opset: int) -> NDArray[Any] | None:
    if node.op_type == "Constant":
        return _constant_value(node)
    if not node.input or node.domain not in ("", "ai.onnx"):
        return None
    if any(name and name not in known for name in node.input):
        return None
    if any(node.output[1:]):
        return None
    return fold(node, [known[name] if name else None for name in node.input], opset)


def _constant_value(node: onnx.NodeProto) -> NDArray[Any] | None:
    if not node.attribute:
        return None
    attribute = node.attribute[0]
    if attribute.name == "value":
        return values_of(attribute.t)
    if attribute.name in _SCALAR_ATTRIBUTES | _LIST_ATTRIBUTES:
        dtype = (_SCALAR_ATTRIBUTES | _LIST_ATTRIBUTES)[attribute.name]
        return np.asarray(onnx.helper.get_attribute_value(attribute), dtype=dtype)
    return None


def scalar(value: NDArray[Any] | None) -> float | None:
    """Return the number that all elements of a numeric tensor share, None for anything else."""
    if value is None or value.size == 0 or value.dtype.kind not in "fiub":
        return None
    flat = value.reshape(-1)
    first = flat[0]
    # Large tensors are weights, and two elements tell.
    return float(first) if first == flat[-1] and bool(np.all(flat == first)) else None
