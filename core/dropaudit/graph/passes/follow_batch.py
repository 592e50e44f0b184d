"""A pass that lets constants follow the batch: exporters write its extent into shapes, zero states and draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, replace_nodes
from dropaudit.graph.reading.constants import Constants
from dropaudit.graph.reading.random_types import LIKE
from dropaudit.graph.reading.scope import scopes

_EXTENT = f"{PREFIX}batch/extent"
# Where an operator takes a shape, or what is as long as one.
_SHAPES = {"Reshape": 1, "Expand": 1, "ConstantOfShape": 0, "Tile": 1}
# Inputs from which on an operator takes its first state.
_STATES = {"LSTM": 5, "GRU": 5, "RNN": 5, "Scan": 0, "Loop": 2}


class Choice(msgspec.Struct, frozen=True):
    """Which of several like numbers is the batch, where a model does not say.

    Attributes:
        place: which extent of a shape that has several of the batch's: the first, or the last.
        multiples: whether an extent may be the batch's times another, in a shape that leaves none open.
        values: whether all constants follow the batch that are the same along it, or only first states.
    """

    place: int = 0
    multiples: bool = True
    values: bool = False


# The likeliest first.
CHOICES = (Choice(), Choice(values=True), Choice(multiples=False), Choice(place=-1), Choice(place=-1, values=True))


def following(model: onnx.ModelProto, axes: Mapping[str, int], choice: Choice) -> onnx.ModelProto | None:
    """Let constants that only carry the extent of the batch follow it; None where there are none.

        Reshape(x, [5, 14]) -> y        becomes, with axis 0 of x,
        Gather(Shape(x), [0]) -> n ; Concat(n, [14]) -> s ; Reshape(x, s) -> y

        LSTM(x, W, R, , , h) -> y, h of shape [1, 5, 10] the same along axis 1        becomes
        Concat([1], n, [10]) -> s ; Expand(h[:, :1], s) -> e ; LSTM(x, W, R, , , e) -> y

        RandomUniform<shape = [5, 14]>() -> u        becomes
        ConstantOfShape(s) -> z ; RandomUniformLike(z) -> u

    Nothing says for certain which number is the batch: whoever uses this must try what comes out.

    Args:
        model: a model whose batch has one extent.
        axes: batch axis of each input that has one.
        choice: how to read numbers that may be the batch's or another's.
    """
    extent = _extent(model, axes)
    if extent is None:
        return None
    found = copy_of(model)
    writer = _Writer(extent, choice)
    # Bodies first: they are copied with the nodes that hold them.
    for scope in reversed(list(scopes(found))):
        known = _with_joined(scope.graph, scope.constants)
        replace_nodes(scope.graph, [each for node in scope.graph.node for each in writer.rewritten(node, known)])
    if not writer.changed:
        return None
    name, axis = next(iter(axes.items()))
    start = [
        helper.make_node("Shape", [name], [f"{_EXTENT}/shape"], name=f"{_EXTENT}/Shape"),
        helper.make_node("Gather", [f"{_EXTENT}/shape", f"{_EXTENT}/axis"], [_EXTENT], name=f"{_EXTENT}/Gather"),
    ]
    replace_nodes(found.graph, [*start, *found.graph.node])
    writer.constant(f"{_EXTENT}/axis", np.array([axis], dtype=np.int64))
    found.graph.initializer.extend(writer.constants)
    return found


def _with_joined(graph: onnx.GraphProto, known: Constants) -> Constants:
    """Add shapes that are put together of constants, one extent after the other."""
    found = dict(known)
    for node in graph.node:
        given = [found.get(name) for name in node.input]
        values = [value for value in given if value is not None and value.dtype == np.int64]
        if not given or len(values) < len(given):
            continue
        if node.op_type in ("Unsqueeze", "Squeeze") and values[0].size == 1:
            found[node.output[0]] = values[0].reshape(-1 if node.op_type == "Unsqueeze" else ())
        elif node.op_type == "Concat":
            found[node.output[0]] = np.concatenate([value.reshape(-1) for value in values])
    return found


def _extent(model: onnx.ModelProto, axes: Mapping[str, int]) -> int | None:
    """Return the batch that all inputs agree on; None where they do not, or it is not fixed."""
    extents = {
        value.type.tensor_type.shape.dim[axes[value.name]].dim_value
        for value in model.graph.input
        if value.name in axes and axes[value.name] < len(value.type.tensor_type.shape.dim)
    }
    return extents.pop() if len(extents) == 1 and min(extents) > 0 else None


class _Writer:
    """Writes nodes anew, one after the other."""

    def __init__(self, extent: int, choice: Choice) -> None:
        self.constants: list[onnx.TensorProto] = []
        self.changed = False
        self._extent = extent
        self._choice = choice
        self._number = 0

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep a constant."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def rewritten(self, node: onnx.NodeProto, known: Constants) -> Iterator[onnx.NodeProto]:
        """Yield what makes a node's new inputs, and the node; bodies are left to whoever walks them."""
        if node.op_type in LIKE:
            yield from self._draw(node)
            return
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        for place, name in enumerate(node.input):
            value = known.get(name)
            if value is None:
                continue
            if _SHAPES.get(node.op_type) == place:
                made = self._shape(value.reshape(-1).tolist(), open_ended=node.op_type == "Reshape")
                wanted = self._own("shape")
            elif self._may_follow(node, place, value):
                made, wanted = self._expanded(value)
            else:
                continue
            if made:
                made[-1].output[0] = changed.input[place] = wanted
                yield from made
        yield changed

    def _own(self, what: str) -> str:
        self._number += 1
        return f"{PREFIX}batch/{self._number}/{what}"

    def _shape(self, extents: Sequence[int], *, open_ended: bool = False) -> list[onnx.NodeProto]:
        """Return nodes that make a shape whose batch follows; none where the shape holds no batch."""
        place = self._place_of_batch(extents, open_ended)
        if place is None:
            return []
        self.changed = True
        name, nodes, middle = self._own("parts"), list[onnx.NodeProto](), _EXTENT
        times = extents[place] // self._extent
        if times > 1:
            factor = self.constant(f"{name}/times", np.array([times], dtype=np.int64))
            middle = f"{name}/product"
            nodes.append(helper.make_node("Mul", [_EXTENT, factor], [middle], name=f"{name}/Mul"))
        parts = [extents[:place], extents[place + 1 :]]
        ends = [
            [self.constant(f"{name}/{side}", np.array(part, dtype=np.int64))] if part else []
            for side, part in enumerate(parts)
        ]
        joined = [*ends[0], middle, *ends[1]]
        return [*nodes, helper.make_node("Concat", joined, [name], name=f"{name}/Concat", axis=0)]

    def _place_of_batch(self, extents: Sequence[int], open_ended: bool) -> int | None:
        own = [place for place, extent in enumerate(extents) if extent == self._extent]
        if own:
            return own[self._choice.place]
        if not self._choice.multiples or self._extent == 1 or (open_ended and -1 in extents):
            return None
        times = [place for place, extent in enumerate(extents) if extent > 0 and extent % self._extent == 0]
        return times[self._choice.place] if times else None

    def _may_follow(self, node: onnx.NodeProto, place: int, value: NDArray[Any]) -> bool:
        """Whether a constant is the same along an axis of the batch's extent, and may have been made for it."""
        is_state = place >= _STATES.get(node.op_type, math.inf)
        if not (is_state or self._choice.values) or value.dtype.kind not in "fb" or node.op_type == "Constant":
            return False
        axis = self._axis(value)
        return axis is not None and bool(np.all(value == value.take([0], axis=axis)))

    def _axis(self, value: NDArray[Any]) -> int | None:
        own = [axis for axis, extent in enumerate(value.shape) if extent == self._extent]
        return own[self._choice.place] if own else None

    def _expanded(self, value: NDArray[Any]) -> tuple[list[onnx.NodeProto], str]:
        axis = self._axis(value)
        assert axis is not None
        nodes, name = self._shape(value.shape), self._own("values")
        one = self.constant(f"{name}/one", value.take([0], axis=axis))
        nodes.append(helper.make_node("Expand", [one, nodes[-1].output[0]], [name], name=f"{name}/Expand"))
        return nodes, name

    def _draw(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        shape = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "shape"), [])
        made = self._shape(shape)
        if not made:
            yield node
            return
        yield from made
        like = self._own("like")
        yield helper.make_node("ConstantOfShape", [made[-1].output[0]], [like], name=f"{like}/ConstantOfShape")
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        changed.op_type = LIKE[node.op_type]
        changed.input.append(like)
        kept = [attribute for attribute in node.attribute if attribute.name != "shape"]
        del changed.attribute[:]
        changed.attribute.extend(kept)
        yield changed
