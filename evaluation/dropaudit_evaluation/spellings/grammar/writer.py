"""Writing a graph node by node, under names that are used once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

FLOAT, DOUBLE, HALF = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16
INT32, INT64, BOOL, UINT8 = TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8


class GraphWriter:
    """Nodes and initializers of one graph; bodies share the names of the graph around them.

    Attributes:
        nodes: in the order they were written.
        initializers: constants of this graph; a function has none, and holds Constant nodes alone.
        functions: local functions of the model, shared by all its graphs.
    """

    def __init__(self, outer: GraphWriter | None = None, *, is_function: bool = False) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.functions: list[onnx.FunctionProto] = outer.functions if outer else []
        self.is_function: bool = is_function or (outer is not None and outer.is_function)
        self._numbers: count[int] = outer._numbers if outer else count()

    def fresh(self, stem: str) -> str:
        """Return a name that no other tensor of the model has."""
        return f"{stem}_{next(self._numbers)}"

    def emit(self, operator: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Write a node of one result, and return the result's name."""
        (result,) = self.emit_many(operator, inputs, 1, name=name, **attributes)
        return result

    def emit_many(
        self, operator: str, inputs: Sequence[str], results: int, *, name: str | None = None, **attributes: Any
    ) -> tuple[str, ...]:
        """Write a node, and return the names of its results; `name` is for the first."""
        names = [name or self.fresh(operator.lower()), *(self.fresh(operator.lower()) for _ in range(results - 1))]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=self.fresh("node"), **attributes))
        return tuple(names)

    def constant(self, value: ArrayLike, element_type: int, *, as_node: bool = False) -> str:
        """Write a constant, as an initializer or as a Constant node, and return its name."""
        array = np.asarray(value, helper.tensor_dtype_to_np_dtype(element_type))
        name = self.fresh("const")
        tensor = numpy_helper.from_array(array, name)
        if as_node or self.is_function:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def body(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], results: Sequence[onnx.ValueInfoProto]
    ) -> onnx.GraphProto:
        """Return what was written as a graph."""
        return helper.make_graph(self.nodes, name, list(inputs), list(results), self.initializers)
