"""Writing an ONNX graph node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper, numpy_helper

from dropaudit.report import Axis


@dataclass(frozen=True, slots=True)
class Wire:
    """A tensor of a graph that is being written.

    Attributes:
        axes: what each axis runs over; None for one that is neither batch, time nor feature.
        extents: the length of each axis, None where it is known at run time only.
        outside: in a loop's body, a tensor of the enclosing graph that has this one's axes.
        previous: in a loop's body, name of the state that this one replaces.
    """

    name: str
    axes: tuple[Axis | None, ...]
    extents: tuple[int | None, ...]
    outside: Wire | None = None
    previous: str | None = None

    @property
    def features(self) -> int:
        """Length of the last axis, which is always known."""
        last = self.extents[-1]
        assert last is not None
        return last

    def called(self, name: str) -> Wire:
        """Return another tensor of the same axes."""
        return replace(self, name=name)


class GraphWriter:
    """Collects the nodes of one graph and the constants of all; every name is used once."""

    def __init__(self, opset: int, dtype: np.dtype[Any], outer: GraphWriter | None = None) -> None:
        self.opset = opset
        self.dtype = dtype
        self.outer = outer
        self.label: str = outer.label if outer else "model"
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = outer.constants if outer else []
        self._taken: Counter[str] = outer._taken if outer else Counter()

    @property
    def element_type(self) -> int:
        """The model's data type as ONNX numbers it."""
        return int(helper.np_dtype_to_tensor_dtype(self.dtype))

    def body(self) -> GraphWriter:
        """Return a writer for the body of a control-flow operator."""
        return GraphWriter(self.opset, self.dtype, outer=self)

    def add(self, op_type: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.add_many(op_type, list(inputs), 1, name=name, **attributes)[0]

    def add_many(
        self, op_type: str, inputs: list[str], outputs: int, name: str | None = None, **attributes: Any
    ) -> list[str]:
        """Add a node and return the names of its outputs. Without a name it is called `label/op_type`."""
        called = self.fresh(name or f"{self.label}/{op_type}")
        results = [f"{called}:{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(op_type, inputs, results, name=called, **attributes))
        return results

    def constant(self, value: ArrayLike, dtype: Any = None) -> str:
        """Add an initializer, in the model's data type unless another is given, and return its name."""
        name = self.fresh(f"{self.label}/constant")
        array = np.asarray(value, dtype=self.dtype if dtype is None else dtype)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, *values: int) -> str:
        """Add a vector of 64-bit integers, as shapes and axes want them."""
        return self.constant(values, np.int64)

    def fresh(self, name: str) -> str:
        """Return a name that nothing in the model has yet."""
        self._taken[name] += 1
        count = self._taken[name]
        return name if count == 1 else f"{name}_{count}"

    def rename(self, old: str, new: str) -> None:
        """Give a tensor of this graph another name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                for index, name in enumerate(names):
                    if name == old:
                        names[index] = new


# Puts something between a tensor and those who read it: a dropout site, noise, another layer, or nothing.
Transform = Callable[[GraphWriter, Wire], Wire]


def chain(*steps: Transform) -> Transform:
    """Return the transform that applies `steps` one after the other."""

    def run(writer: GraphWriter, wire: Wire) -> Wire:
        for step in steps:
            wire = step(writer, wire)
        return wire

    return run
