"""A model that reduces replicates to statistics, so that on a device nothing else has to leave it.

It holds no reduction but sums along the last axis: a CUDA device reads 1,600 GB/s for those, and 4 GB/s for the
smallest or largest element of a tensor, or for a sum over several axes (ONNX Runtime 1.31 on an H100).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import helper, numpy_helper

_OPSET = 17
_IR_VERSION = 8


class MaskPlace(msgspec.Struct, frozen=True):
    """The tensors before and after a mask; `is_fixed` where the one before is the same in all replicates."""

    before: str
    after: str
    is_fixed: bool


def reductions(masks: Sequence[MaskPlace], outputs: Sequence[str]) -> onnx.ModelProto:
    """Return a model from tensors of single precision, replicates along an axis, to what is counted in each replicate.

    Every tensor t comes with an input `t/shape`, (A, K, B): K replicates lie between A and B other elements.

        after/dropped, after/total         elements of after / before that are zero, and their sum, shape (K,)
        after/uninformative                    elements before that are zero, shape (K,); not where `is_fixed`
        output/grid                        sums of y * y_ref over stretches of M elements, shape (A, K, G)
        output/zeros                       elements where y / y_ref is zero, shape (K,)

    `before/fixed` holds an input of all replicates, `output/reference` y_ref and `output/divisor` it again, each of
    shape (A, 1, B): in divisors infinity stands for what tells nothing. M divides B; `output/stretches` is (-1, M),
    and `output/blocks` (A, K, G).
    """
    build = _Builder()
    for mask in masks:
        build.mask(mask)
    for output in outputs:
        build.output(output)
    graph = helper.make_graph(build.nodes, "reductions", build.inputs, build.outputs, _CONSTANTS)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)


_CONSTANTS = [
    numpy_helper.from_array(np.array([-1], dtype=np.int64), "last"),
    numpy_helper.from_array(np.array([0], dtype=np.int64), "first"),
    numpy_helper.from_array(np.array(0, dtype=np.float32), "zero"),
    numpy_helper.from_array(np.array(np.inf, dtype=np.float32), "infinity"),
]


class _Builder:
    """Collects nodes; names say what they are."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self._apart: set[str] = set()

    def mask(self, place: MaskPlace) -> None:
        after, factors = self._set_apart(place.after), f"{place.after}/factors"
        if place.is_fixed:
            divisor = self._input(f"{place.before}/fixed")
        else:
            before, divisor = self._set_apart(place.before), f"{place.after}/over"
            self._node("Equal", [before, "zero"], f"{place.after}/nothing")
            self._node("Where", [f"{place.after}/nothing", "infinity", before], divisor)
            self._count(f"{place.after}/nothing", f"{place.after}/uninformative")
        self._node("Div", [after, divisor], factors)
        self._node("Equal", [factors, "zero"], f"{factors}/zero")
        self._count(f"{factors}/zero", f"{place.after}/dropped")
        self._sum(factors, f"{place.after}/total")

    def output(self, name: str) -> None:
        values = self._set_apart(name)
        self._node("Mul", [values, self._input(f"{name}/reference")], f"{name}/weighted")
        stretches = self._input(f"{name}/stretches", onnx.TensorProto.INT64)
        self._node("Reshape", [f"{name}/weighted", stretches], f"{name}/stretched")
        self._node("ReduceSum", [f"{name}/stretched", "last"], f"{name}/sums", keepdims=0)
        blocks = self._input(f"{name}/blocks", onnx.TensorProto.INT64)
        self._node("Reshape", [f"{name}/sums", blocks], f"{name}/grid")
        self._returned(f"{name}/grid")
        self._node("Div", [values, self._input(f"{name}/divisor")], f"{name}/ratios")
        self._node("Equal", [f"{name}/ratios", "zero"], f"{name}/ratios/zero")
        self._count(f"{name}/ratios/zero", f"{name}/zeros")

    def _set_apart(self, name: str) -> str:
        """Return the tensor of shape (A, K, B)."""
        found = f"{name}/apart"
        if name not in self._apart:
            self._apart.add(name)
            shape = self._input(f"{name}/shape", onnx.TensorProto.INT64)
            self._node("Reshape", [self._input(name), shape], found)
        return found

    def _count(self, truth: str, output: str) -> None:
        self._node("Cast", [truth], f"{truth}/ones", to=onnx.TensorProto.FLOAT)
        self._sum(f"{truth}/ones", output)

    def _sum(self, source: str, output: str) -> None:
        """Sum each replicate: along the last axis first, which leaves little for the other."""
        self._node("ReduceSum", [source, "last"], f"{source}/rows", keepdims=0)
        self._node("ReduceSum", [f"{source}/rows", "first"], output, keepdims=0)
        self._returned(output)

    def _node(self, operator: str, inputs: Iterable[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))

    def _input(self, name: str, kind: int = onnx.TensorProto.FLOAT) -> str:
        if all(value.name != name for value in self.inputs):
            self.inputs.append(helper.make_tensor_value_info(name, kind, None))
        return name

    def _returned(self, name: str) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
