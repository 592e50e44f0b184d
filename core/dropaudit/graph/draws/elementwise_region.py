"""The elementwise region behind a draw: the part of a graph in which a mask is made and meets data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from dropaudit.graph.draws.noise_algebra import MOVES, PARTS
from dropaudit.graph.draws.noise_map import NoiseMap
from dropaudit.graph.draws.random_operators import draws
from dropaudit.graph.reading.dropout_operator import ratio_of
from dropaudit.graph.reading.random_types import WITH_CHANCES
from dropaudit.graph.reading.scope import Scope, bodies_of
from dropaudit.stats.fits import distinct

# Operators that take elements of their first input, or put elements of several beside each other.
_ARRANGES = PARTS | {"GatherElements", "GatherND", "Pad", "DepthToSpace", "SpaceToDepth"}
ELEMENTWISE = frozenset(
    {
        "Abs", "Neg", "Sign", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "Gelu", "Mish",
        "Floor", "Ceil", "Round", "Sqrt", "Exp", "Log", "Reciprocal", "Pow", "Erf", "Sigmoid", "HardSigmoid",
        "HardSwish", "Swish", "Tanh", "Softplus", "Softsign", "Shrink", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan",
        "Sinh", "Cosh", "Asinh", "Acosh", "Atanh", "Not", "And", "Or", "Xor", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
        "BitwiseNot", "BitShift", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Where", "Clip", "Add",
        "Sub", "Mul", "Div", "Mod", "Min", "Max", "Sum", "Mean", "IsNaN", "IsInf", "QuantizeLinear",
        "DequantizeLinear",
    }
)  # fmt: skip

# Operators whose further inputs are shapes, axes and the like.
_SHAPED = frozenset({"Reshape", "Expand", "Tile", "Slice", "Pad", "Unsqueeze", "Squeeze", "Split"})


class Root(msgspec.Struct, frozen=True):
    """A tensor that is drawn anew in every run.

    Attributes:
        tensor: the tensor.
        node: the random operator that makes it; None for noise that a body takes from outside.
        position: which output of that operator it is.
    """

    tensor: str
    node: onnx.NodeProto | None
    position: int = 0


class Region(msgspec.Struct, frozen=True):
    """The nodes of one scope behind its draws, up to the first that mix elements.

    Attributes:
        scope: the graph they lie in.
        roots: what is drawn.
        nodes: in graph order.
        touched: by tensor made of draws, the roots that it is made of.
        pure: tensors that are made of draws and constants alone.
        entering: tensors that come in and are neither drawn nor constant, in the order of use.
    """

    scope: Scope
    roots: tuple[Root, ...]
    nodes: tuple[onnx.NodeProto, ...]
    touched: Mapping[str, frozenset[str]]
    pure: frozenset[str]
    entering: tuple[str, ...]


def region_of(noise: NoiseMap, inherited: Iterable[str] = ()) -> Region | None:
    """Return the region of a scope; None where nothing in it is drawn but by Dropout operators on data.

        RandomUniformLike(x) -> u ; Less(u, 0.8) -> b ; Cast(b) -> m ; Mul(x, m) -> y ; MatMul(y, W) -> z

    has the root u, the nodes from Less to Mul, and x enters it.

    Args:
        noise: the scope, with what algebra says of its tensors.
        inherited: noise that a body sees from outside, by its name inside.
    """
    scope = noise.scope
    roots = [Root(name, None) for name in inherited]
    roots += [root for node in scope.graph.node for root in _roots(noise, node)]
    if not roots:
        return None
    walk = _Walk(scope, {root.tensor: frozenset({root.tensor}) for root in roots})
    made = {root.tensor for root in roots}
    for node in scope.graph.node:
        if not made & set(node.output):
            walk.follow(node)
    entering = [name for node in walk.nodes for name in node.input if name]
    entering += [root.node.input[0] for root in roots if root.node is not None and root.node.op_type in WITH_CHANCES]
    outside = [name for name in dict.fromkeys(entering) if name not in walk.touched and name not in scope.constants]
    return Region(scope, tuple(roots), tuple(walk.nodes), walk.touched, frozenset(walk.pure), tuple(outside))


def _roots(noise: NoiseMap, node: onnx.NodeProto) -> list[Root]:
    """A Dropout of data is a site by itself, and only its mask is a root; that of a constant is a mask."""
    if not draws(noise.scope, node):
        return []
    if node.op_type != "Dropout":
        return [Root(node.output[0], node)]
    if ratio_of(noise.scope, node) is None:
        return []
    makes_mask = noise.is_noise(node.output[0])
    found = [Root(node.output[0], node)] if makes_mask else []
    if len(node.output) > 1 and node.output[1] in noise.scope.consumers:
        found.append(Root(node.output[1], node, 1))
    return found


class _Walk:
    """The walk from roots, node by node."""

    def __init__(self, scope: Scope, roots: Mapping[str, frozenset[str]]) -> None:
        self._scope = scope
        self.touched = dict(roots)
        self.pure = set(roots)
        self.nodes: list[onnx.NodeProto] = []

    def follow(self, node: onnx.NodeProto) -> None:
        """Take in a node that works element by element, or on draws and constants alone."""
        reached = [name for name in node.input if name in self.touched]
        if not reached or bodies_of(node) or node.op_type in ("Shape", "Size") or draws(self._scope, node):
            return
        pure = all(self._is_pure(node, i) for i in range(len(node.input)))
        if not (pure or works_element_by_element(node)):
            return
        self.nodes.append(node)
        roots = frozenset().union(*(self.touched[name] for name in reached))
        for name in node.output:
            if name:
                self.touched[name] = roots
                if pure:
                    self.pure.add(name)

    def _is_pure(self, node: onnx.NodeProto, position: int) -> bool:
        name = node.input[position]
        return not name or name in self.pure or is_shape(node, position) or self._is_plain(name)

    def _is_plain(self, name: str) -> bool:
        """Whether a constant is a number, or the same for many elements: others are data, as weights are."""
        value = self._scope.constants.get(name)
        return value is not None and (value.dtype.kind != "f" or value.size <= 1 or len(distinct(value)) <= 2)


def is_shape(node: onnx.NodeProto, position: int) -> bool:
    """Whether an input says how elements are laid out, and is not data."""
    return position > 0 and node.op_type in _SHAPED


def works_element_by_element(node: onnx.NodeProto) -> bool:
    """Whether each element of a result is made of one element of each input."""
    if node.op_type == "Dropout":
        return True  # one that draws was left out before
    known = node.op_type in ELEMENTWISE | MOVES | _ARRANGES or (node.op_type == "Einsum" and _multiplies(node))
    return node.domain in ("", "ai.onnx") and known


def _multiplies(node: onnx.NodeProto) -> bool:
    """Whether an Einsum sums nothing up and turns no axes, as in "ij,ij->ij" and "bij,j->bij"."""
    found = next((helper.get_attribute_value(each) for each in node.attribute if each.name == "equation"), b"")
    terms, arrow, result = found.decode().replace(" ", "").partition("->")
    axes = result.replace("...", ".")
    return bool(arrow) and all(axes.endswith(term.replace("...", ".")) for term in terms.split(","))


def model_of(
    region: Region, like: onnx.ModelProto, arrays: Mapping[str, NDArray[Any]], wanted: Collection[str]
) -> onnx.ModelProto:
    """Return a region as a model of its own: roots and what enters are inputs.

    Args:
        region: the region.
        like: the model that it is a part of.
        arrays: a value of every input, which says its type.
        wanted: tensors to return.
    """
    read = {name for node in region.nodes for name in node.input}
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), [None] * value.ndim)
        for name, value in arrays.items()
    ]
    constants = [
        numpy_helper.from_array(np.ascontiguousarray(value), name)
        for name, value in region.scope.constants.items()
        if name in read
    ]
    nodes = [*region.nodes]
    direct = [name for name in wanted if name in arrays]
    outputs = [onnx.ValueInfoProto(name=name) for name in wanted if name not in direct]
    graph = helper.make_graph(nodes, "region", inputs, outputs, constants)
    part = onnx.ModelProto()
    part.ir_version = like.ir_version
    part.opset_import.extend(like.opset_import)
    part.graph.CopyFrom(graph)
    return part
