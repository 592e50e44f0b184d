"""The inputs of a model: names, types and shapes."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import onnx

from dropaudit.errors import InvalidModel
from dropaudit.graph.reading.scope import Scope

Dimension = int | str


class InputSpec(msgspec.Struct, frozen=True):
    """One input of a model.

    Attributes:
        dims: an extent, or the label of a free dimension; equal labels take equal extents.
        bound: integers must lie in [0, bound); None where nothing in the graph says.
        has_default: whether the model can run without it.
    """

    name: str
    dtype: np.dtype[Any]
    dims: tuple[Dimension, ...]
    bound: int | None
    has_default: bool


def signature(scope: Scope) -> tuple[InputSpec, ...]:
    """Return the inputs of a main graph. Raises InvalidModel for inputs that are not dense tensors."""
    defaults = {tensor.name for tensor in scope.graph.initializer}
    return tuple(_spec(scope, value, value.name in defaults) for value in scope.graph.input)


def _spec(scope: Scope, value: onnx.ValueInfoProto, has_default: bool) -> InputSpec:
    if not value.type.HasField("tensor_type"):
        kind = value.type.WhichOneof("value") or "untyped value"
        raise InvalidModel(f"input {value.name!r} is a {kind}; only dense tensors can be audited", input=value.name)
    tensor = value.type.tensor_type
    try:
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    except KeyError as error:
        raise InvalidModel(f"input {value.name!r} has no element type", input=value.name) from error
    return InputSpec(
        name=value.name,
        dtype=np.dtype(dtype),
        dims=tuple(_dimension(value.name, axis, dim) for axis, dim in enumerate(tensor.shape.dim)),
        bound=_bound(scope, value.name),
        has_default=has_default,
    )


def _dimension(name: str, axis: int, dim: onnx.TensorShapeProto.Dimension) -> Dimension:
    # An extent of 0 is one: the runtime takes nothing else.
    if dim.HasField("dim_value") and dim.dim_value >= 0:
        return dim.dim_value
    label: object = dim.dim_param
    if not isinstance(label, str):
        # Bytes that are not valid text; the protobuf library returns valid text as a string.
        raise InvalidModel(f"a dimension of input {name!r} has a label that is not UTF-8 text", input=name)
    return label or f"{name}:{axis}"


def _bound(scope: Scope, name: str) -> int | None:
    """Return the smallest table that the ids in an input index."""
    bounds = []
    for node in scope.consumers.get(name, []):
        if node.op_type == "Cast":
            bounds.append(_bound(scope, node.output[0]))
        if node.op_type == "Gather" and node.input[1] == name and node.input[0] in scope.constants:
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
            bounds.append(scope.constants[node.input[0]].shape[axis])
    return min((bound for bound in bounds if bound is not None), default=None)
