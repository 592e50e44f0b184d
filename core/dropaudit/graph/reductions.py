"""A model that reduces replicates to statistics, so that on a device nothing else has to leave it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.stats.ratios import smallest_input

_OPSET = 17
_IR_VERSION = 8


@dataclass(frozen=True, slots=True)
class MaskPlace:
    """The tensors before and after a mask; `is_fixed` where the one before is the same in all replicates."""

    before: str
    after: str
    is_fixed: bool


def reductions(masks: Sequence[MaskPlace], outputs: Sequence[str]) -> onnx.ModelProto:
    """Return a model from tensors of single precision, replicates along an axis, to what is counted in each replicate.

    Every tensor t comes with an input `t/shape`, (A, K, B): K replicates lie between A and B other elements.

        after/kept, after/lowest, after/highest, after/total     of after / before, shape (K,); zero is dropped
        after/cells                                              elements whose input tells, shape (K,)
        output/products      y * y_ref summed over replicates, shape (elements,) folded to `output/fold`, (P, Q, R) -> Q
        output/projections   <y_t, y_ref>, shape (K,)
        output/zeros         elements that are zero where y_ref tells, shape (K,)

    `before/fixed` holds an input of all replicates, and `output/reference` y_ref and `output/divisor`, shape (1, E):
    in them infinity stands for what tells nothing.
    """
    build = _Builder()
    for mask in masks:
        build.mask(mask)
    for output in outputs:
        build.output(output)
    graph = helper.make_graph(build.nodes, "reductions", build.inputs, build.outputs, _CONSTANTS)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)


_CONSTANTS = [
    numpy_helper.from_array(np.array([0, -1], dtype=np.int64), "rows"),
    numpy_helper.from_array(np.array([1], dtype=np.int64), "along"),
    numpy_helper.from_array(np.array([0, 2], dtype=np.int64), "across"),
    numpy_helper.from_array(np.array([0], dtype=np.int64), "first"),
    numpy_helper.from_array(np.array(0, dtype=np.float32), "zero"),
    numpy_helper.from_array(np.array(np.inf, dtype=np.float32), "infinity"),
    numpy_helper.from_array(np.array(smallest_input(np.dtype(np.float32)), dtype=np.float32), "limit"),
]


class _Builder:
    """Collects nodes; names say what they are."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self._rows: set[str] = set()

    def mask(self, place: MaskPlace) -> None:
        after = self._as_rows(place.after)
        if place.is_fixed:
            divisor = self._input(f"{place.before}/fixed", onnx.TensorProto.FLOAT)
        else:
            before, own = self._as_rows(place.before), f"{place.after}/before"
            self._node("Abs", [before], f"{own}/size")
            self._node("Greater", [f"{own}/size", "limit"], f"{own}/tells")
            self._node("Where", [f"{own}/tells", before, "infinity"], f"{own}/divisor")
            divisor = f"{own}/divisor"
            self._count(f"{own}/tells", f"{place.after}/cells")
        factors = f"{place.after}/factors"
        self._node("Div", [after, divisor], factors)
        self._node("Equal", [factors, "zero"], f"{factors}/zero")
        self._node("Not", [f"{factors}/zero"], f"{factors}/kept")
        self._count(f"{factors}/kept", f"{place.after}/kept")
        self._node("Where", [f"{factors}/zero", "infinity", factors], f"{factors}/low")
        self._reduce("ReduceMin", f"{factors}/low", f"{place.after}/lowest")
        self._reduce("ReduceMax", factors, f"{place.after}/highest")
        self._sum(factors, "along", f"{place.after}/total")

    def output(self, name: str) -> None:
        rows = self._as_rows(name)
        reference = self._input(f"{name}/reference", onnx.TensorProto.FLOAT)
        divisor = self._input(f"{name}/divisor", onnx.TensorProto.FLOAT)
        fold = self._input(f"{name}/fold", onnx.TensorProto.INT64)
        self._node("Mul", [rows, reference], f"{name}/weighted")
        self._sum(f"{name}/weighted", "along", f"{name}/projections")
        self._node("ReduceSum", [f"{name}/weighted", "first"], f"{name}/summed", keepdims=0)
        self._node("Reshape", [f"{name}/summed", fold], f"{name}/folded")
        self._sum(f"{name}/folded", "across", f"{name}/products")
        self._node("Div", [rows, divisor], f"{name}/ratios")
        self._node("Equal", [f"{name}/ratios", "zero"], f"{name}/ratios/zero")
        self._count(f"{name}/ratios/zero", f"{name}/zeros")

    def _as_rows(self, name: str) -> str:
        """Return the tensor with one replicate a row."""
        found = f"{name}/rows"
        if name not in self._rows:
            self._rows.add(name)
            tensor, shape = self._input(name, None), self._input(f"{name}/shape", onnx.TensorProto.INT64)
            self._node("Reshape", [tensor, shape], f"{name}/apart")
            self._node("Transpose", [f"{name}/apart"], f"{name}/first", perm=[1, 0, 2])
            self._node("Reshape", [f"{name}/first", "rows"], found)
        return found

    def _count(self, truth: str, output: str) -> None:
        self._node("Cast", [truth], f"{truth}/ones", to=onnx.TensorProto.FLOAT)
        self._sum(f"{truth}/ones", "along", output)

    def _sum(self, source: str, axes: str, output: str) -> None:
        self._node("ReduceSum", [source, axes], output, keepdims=0)
        self._returned(output)

    def _reduce(self, operator: str, source: str, output: str) -> None:
        self._node(operator, [source], output, axes=[1], keepdims=0)
        self._returned(output)

    def _node(self, operator: str, inputs: Iterable[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))

    def _input(self, name: str, kind: int | None) -> str:
        if all(value.name != name for value in self.inputs):
            self.inputs.append(helper.make_tensor_value_info(name, kind or onnx.TensorProto.FLOAT, None))
        return name

    def _returned(self, name: str) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
