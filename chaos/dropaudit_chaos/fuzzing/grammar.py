"""A grammar of small graphs: each is valid ONNX, and few look like what anybody would export.

A graph grows from its inputs: each rule takes values that are there, of the types and ranks it needs, and adds some.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dropaudit.subjects import Array

Dim = int | str
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
OTHERS = (TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8)
_ODD_NAMES = ("", "a b", "x/y", "é", "0", "{0}", "%s", "y\n", "drop", "drop", "Dropout_0", "\u202e", "n" * 300, "a:b")


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor that is there: its name, its type, and its shape, in which a word is an extent that is not known."""

    name: str
    kind: int
    shape: tuple[Dim, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        return self.kind in FLOATS

    @property
    def is_fixed(self) -> bool:
        return all(isinstance(dim, int) for dim in self.shape)


@dataclass(slots=True)
class Grower:
    """A graph under way.

    Attributes:
        depth: how deep the graph lies in bodies.
        functions: those that may be called, each of one float tensor, whose shape it keeps.
    """

    rng: random.Random
    values: list[Value] = field(default_factory=list)
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    depth: int = 0
    functions: list[str] = field(default_factory=list)
    prefix: str = ""
    _count: int = 0

    def name(self) -> str:
        """Return a name that no tensor has yet."""
        self._count += 1
        odd = self.rng.choice(_ODD_NAMES) if self.rng.random() < 0.05 else "t"
        return f"{self.prefix}{odd or 't'}{self._count}"

    def pick(self, wanted: Callable[[Value], bool]) -> Value | None:
        """Choose a value, later ones rather than earlier ones."""
        found = [each for each in self.values if wanted(each)]
        if not found:
            return None
        return found[-1] if self.rng.random() < 0.5 else self.rng.choice(found)

    def constant(self, array: Array) -> str:
        """Add a constant: a weight, or a node."""
        name = self.name()
        if self.rng.random() < 0.7:
            self.weights.append(numpy_helper.from_array(array, name))
        else:
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array)))
        return name

    def number(self, kind: int, value: float, shape: tuple[int, ...] = ()) -> str:
        """Add a constant of one value."""
        return self.constant(np.full(shape, value, helper.tensor_dtype_to_np_dtype(kind)))

    def add(self, operator: str, inputs: list[str], kind: int, shape: tuple[Dim, ...], /, **attributes: Any) -> Value:
        """Add an operator, and its output to what is there."""
        made = Value(self.name(), kind, shape)
        node = helper.make_node(operator, inputs, [made.name], **attributes)
        if self.rng.random() < 0.7:
            node.name = self.rng.choice(_ODD_NAMES) if self.rng.random() < 0.2 else self.name()
        self.nodes.append(node)
        self.values.append(made)
        return made


def info(value: Value) -> onnx.ValueInfoProto:
    """Return what a graph says of a value."""
    return helper.make_tensor_value_info(value.name, value.kind, list(value.shape))


def fresh_inputs(grower: Grower) -> list[Value]:
    """Add inputs of a graph; the first is a float tensor with a batch axis."""
    rng = grower.rng
    shapes: list[tuple[Dim, ...]] = [("N", 4), ("N", 3, 4), (2, 4), ("N",), (), (1,), ("N", 0), (3, 1, 4)]
    first = Value("x", rng.choice(FLOATS), rng.choice(shapes[:3]))
    others = [
        Value(f"in{number}", rng.choice((*FLOATS, *OTHERS)), rng.choice(shapes))
        for number in range(rng.choice((0, 0, 1, 2)))
    ]
    grower.values += [first, *others]
    return [first, *others]
