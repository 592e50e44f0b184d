"""Random masks as ONNX nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from dropaudit.report import Axis
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.writing import GraphWriter, Wire


def ground(writer: GraphWriter, wire: Wire, shared: frozenset[Axis]) -> tuple[GraphWriter, Wire]:
    """Return where a mask is drawn, and a tensor there with the data's axes.

    A mask that all time steps share is drawn outside of the recurrence's body, and the body reads it.
    """
    if Axis.TIME in shared and writer.outer is not None and wire.outside is not None:
        writer.outer.label = writer.label
        return writer.outer, wire.outside
    return writer, wire


def uniform(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """Draw U[0, 1) of the data's shape, with length 1 along shared axes. Always float32: the mask is cast, not u.

    RandomUniform where that shape is known beforehand, otherwise RandomUniformLike of the data or of a slice of it.
    """
    options = seed(recipe) | {"dtype": TensorProto.FLOAT}
    shape = mask_shape(wire, recipe.shared)
    if recipe.shared and shape is not None:
        return writer.add("RandomUniform", shape=shape, **options)
    return writer.add("RandomUniformLike", first_of_shared(writer, wire, recipe.shared), **options)


def mask_shape(wire: Wire, shared: frozenset[Axis]) -> list[int] | None:
    """Return the shape of a mask with 1 along shared axes, None where it is known at run time only."""
    shape = [1 if axis in shared else extent for axis, extent in zip(wire.axes, wire.extents, strict=True)]
    known = [extent for extent in shape if extent is not None]
    return known if len(known) == len(shape) else None


def first_of_shared(writer: GraphWriter, wire: Wire, shared: frozenset[Axis]) -> str:
    """Return the tensor cut to its first position along shared axes; only its shape is of use."""
    axes = [index for index, axis in enumerate(wire.axes) if axis in shared]
    if not axes:
        return wire.name
    begin, end = writer.ints(*(0 for _ in axes)), writer.ints(*(1 for _ in axes))
    return writer.add("Slice", wire.name, begin, end, writer.ints(*axes))


def kept(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """Return a boolean tensor that is true with the recipe's keep probability."""
    u = uniform(writer, wire, recipe)
    if recipe.draw in (Draw.LESS, Draw.WHERE):
        return writer.add("Less", u, _float32(writer, recipe.keep_prob))
    if recipe.draw is Draw.NOT:
        return writer.add("Not", writer.add("Less", u, _float32(writer, 1 - recipe.keep_prob)))
    return writer.add("GreaterOrEqual", u, _float32(writer, 1 - recipe.keep_prob))


def mask(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """Return a mask of zeros and ones in the model's data type."""
    if recipe.draw is Draw.FLOOR:
        drawn = writer.add("Add", _float32(writer, recipe.keep_prob), uniform(writer, wire, recipe))
        return writer.add("Cast", writer.add("Floor", drawn), to=writer.element_type)
    if recipe.draw is Draw.BERNOULLI:
        shape = writer.add("Shape", first_of_shared(writer, wire, recipe.shared))
        chance = writer.add("Expand", _float32(writer, recipe.keep_prob), shape)
        return writer.add("Bernoulli", chance, dtype=writer.element_type, **seed(recipe))
    return writer.add("Cast", kept(writer, wire, recipe), to=writer.element_type)


def operator_mask(writer: GraphWriter, wire: Wire, recipe: Recipe) -> str:
    """Drop out a tensor of ones with the operator, as `F.dropout(torch.ones(…))` does: zeros and 1/q."""
    shape = mask_shape(wire, recipe.shared)
    if shape is None:
        actual = writer.add("Shape", first_of_shared(writer, wire, recipe.shared))
        ones = writer.add("Expand", writer.constant(1), actual)
    else:
        ones = writer.constant(np.ones(shape))
    return operator(writer, ones, recipe)


def operator(writer: GraphWriter, source: str, recipe: Recipe, name: str | None = None) -> str:
    """Apply the operator Dropout. Its training_mode is a constant, or left out when the recipe's is None."""
    inputs = [source, _float32(writer, 1 - recipe.keep_prob)]
    if recipe.training is not None:
        inputs.append(writer.constant(recipe.training, np.bool_))
    options: dict[str, Any] = {} if recipe.seed is None else {"seed": int(recipe.seed)}
    return writer.add("Dropout", *inputs, name=name, **options)


def seed(recipe: Recipe) -> dict[str, Any]:
    """Return the seed attribute of a random operator, as ONNX wants it there: a float."""
    return {} if recipe.seed is None else {"seed": float(recipe.seed)}


def _float32(writer: GraphWriter, value: float) -> str:
    return writer.constant(value, np.float32)
