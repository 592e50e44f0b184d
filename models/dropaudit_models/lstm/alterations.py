"""Other operators between a tensor and its readers: noise, nonlinearities, statistics, other masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from onnx import TensorProto

from dropaudit.report import Axis
from dropaudit_models.lstm.masks import kept
from dropaudit_models.lstm.recipe import Draw, Recipe
from dropaudit_models.writing import GraphWriter, Transform, Wire


def activation(op_type: str) -> Transform:
    """Return an elementwise operator of one input, such as Relu, Sigmoid or Log."""
    return lambda writer, wire: wire.called(writer.add(op_type, wire.name))


def squared(writer: GraphWriter, wire: Wire) -> Wire:
    """x²: dropout before it shifts the mean, E[(x·m/q)²] = x²/q."""
    return wire.called(writer.add("Mul", wire.name, wire.name))


def turned_twice(writer: GraphWriter, wire: Wire) -> Wire:
    """Exchange the first two axes and exchange them back: operators that only move elements."""
    order = [1, 0, *range(2, len(wire.axes))]
    return wire.called(writer.add("Transpose", writer.add("Transpose", wire.name, perm=order), perm=order))


def channels_first(inner: Transform) -> Transform:
    """Apply a transform to (batch, features, time), as one-dimensional convolutions want their data."""

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        order = [wire.axes.index(axis) for axis in (Axis.BATCH, Axis.FEATURE, Axis.TIME)]
        back = [order.index(index) for index in range(len(order))]
        turned = Wire(
            writer.add("Transpose", wire.name, perm=order),
            axes=tuple(wire.axes[index] for index in order),
            extents=tuple(wire.extents[index] for index in order),
        )
        return wire.called(writer.add("Transpose", inner(writer, turned).name, perm=back))

    return run


def gaussian_noise(deviation: float) -> Transform:
    """Add N(0, deviation²): random, and no dropout."""

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        noise = writer.add("RandomNormalLike", wire.name, mean=0.0, scale=deviation)
        return wire.called(writer.add("Add", wire.name, noise))

    return run


def constant_mask(values: ArrayLike) -> Transform:
    """Multiply by a constant array."""
    return lambda writer, wire: wire.called(writer.add("Mul", wire.name, writer.constant(values), name=writer.label))


def unread(inner: Transform) -> Transform:
    """Build a transform's nodes and go on without their result: a bug, for then it has no effect."""

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        inner(writer, wire)
        return wire

    return run


def one_mask(recipe: Recipe) -> Transform:
    """Return a transform that draws a mask when first applied, and applies that same mask ever after."""
    drawn: list[str] = []

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        if not drawn:
            cells = writer.add("Cast", kept(writer, wire, recipe), to=writer.element_type)
            drawn.append(writer.add("Mul", cells, writer.constant(recipe.scale)))
        return wire.called(writer.add("Mul", wire.name, drawn[0], name=writer.label))

    return run


def batch_statistics(writer: GraphWriter, wire: Wire) -> Wire:
    """Normalize each feature by the statistics of the batch: BatchNormalization in training mode (opset 14)."""

    def normalize(writer: GraphWriter, turned: Wire) -> Wire:
        features = turned.extents[1]
        assert features is not None
        ones, zeros = writer.constant(np.ones(features)), writer.constant(np.zeros(features))
        inputs = [turned.name, ones, zeros, zeros, ones]
        return turned.called(writer.add_many("BatchNormalization", inputs, 3, training_mode=1)[0])

    return channels_first(normalize)(writer, wire)


def zoneout(chance: float) -> Transform:
    """Keep each state at its old value with a chance: m h_prev + (1 - m) h_new (Krueger et al. 2017). No dropout."""

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        assert wire.previous is not None
        stays = kept(writer, wire, Recipe(keep_prob=chance, draw=Draw.LESS))
        old = writer.add("Mul", wire.previous, writer.add("Cast", stays, to=writer.element_type))
        moves = writer.add("Cast", writer.add("Not", stays), to=writer.element_type)
        return wire.called(writer.add("Add", old, writer.add("Mul", wire.name, moves)))

    return run


def padding_mask(ids: str, padding: int) -> Transform:
    """Zero the positions whose id is the padding id, as computed from the model's input."""

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        real = writer.add("Not", writer.add("Equal", ids, writer.constant(padding, np.int64)))
        cells = writer.add("Cast", real, to=writer.element_type)
        return wire.called(writer.add("Mul", wire.name, writer.add("Unsqueeze", cells, writer.ints(-1))))

    return run


def above(threshold: float) -> Transform:
    """Where(x > threshold, x, 0): zeros that the data decides."""

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        condition = writer.add("Greater", wire.name, writer.constant(threshold))
        return wire.called(writer.add("Where", condition, wire.name, writer.constant(0)))

    return run


def old_dropout(ratio: float) -> Transform:
    """The operator as it was before opset 12: the ratio is an attribute, and there is no train mode."""
    return lambda writer, wire: wire.called(writer.add("Dropout", wire.name, name=writer.label, ratio=ratio))


def cast_twice(writer: GraphWriter, wire: Wire) -> Wire:
    """To float64 and back: moves nothing, changes nothing."""
    wide = writer.add("Cast", wire.name, to=TensorProto.DOUBLE)
    return wire.called(writer.add("Cast", wide, to=writer.element_type))
