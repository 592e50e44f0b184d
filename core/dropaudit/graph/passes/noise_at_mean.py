"""Noise that is not dropout: replaced by its mean where a mode without randomness is derived."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.graph.draws.noise_algebra import Blend, Jittered, Masked, Normal, TwoPoint, Uniform
from dropaudit.graph.draws.noise_map import NoiseMap, noise_maps
from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, float_type, graphs_of, is_silent, replace_nodes
from dropaudit.graph.reading.scope import scopes
from dropaudit.graph.site import GraphSite


def at_its_mean(model: onnx.ModelProto, sites: Iterable[GraphSite]) -> onnx.ModelProto:
    """Replace noise that no site is made of by its expected value.

        RandomNormalLike(x) -> n ; Add(x, n) -> y
        becomes      RandomNormalLike(x) -> n ; Mul(n, 0) -> z ; Add(z, 0.0) -> m ; Add(x, m) -> y

        Where(b, x, y) -> z with b true with probability p      becomes      Add(Mul(x, p), Mul(y, 1 - p)) -> z

    Gaussian noise becomes nothing, and zoneout the mixture that it is at inference.
    """
    if is_silent(model):
        return model
    maps = list(noise_maps(scopes(model)))
    own = {site.draw for site in sites}
    if not any(_drawn(noise) - own for noise in maps):
        return model
    changed = copy_of(model)
    dtype = float_type(model)
    floats = _floating(model)
    by_path = {noise.scope.path: noise for noise in maps}
    for graph, path in graphs_of(changed.graph):
        noise = by_path[path]
        replace_nodes(graph, [each for node in graph.node for each in _replaced(noise, node, own, dtype, floats)])
    return changed


def _drawn(noise: NoiseMap) -> set[str]:
    return {value.draw for value in noise.values.values() if isinstance(value, Uniform | Normal | TwoPoint)}


def _floating(model: onnx.ModelProto) -> set[str]:
    """Return the tensors that are known to hold numbers of the model's floating-point type."""
    wanted = helper.np_dtype_to_tensor_dtype(float_type(model))
    inferred = onnx.shape_inference.infer_shapes(model)
    return {
        value.name
        for graph, _ in graphs_of(inferred.graph)
        for value in (*graph.value_info, *graph.output, *graph.input)
        if value.type.tensor_type.elem_type == wanted
    }


def _replaced(
    noise: NoiseMap, node: onnx.NodeProto, own: set[str], dtype: np.dtype[Any], floats: set[str]
) -> list[onnx.NodeProto]:
    value = noise.values.get(node.output[0]) if node.output else None
    if isinstance(value, Blend) and node.op_type == "Where" and value.draw not in own and node.output[0] in floats:
        return _mixture(node, value.chance, dtype)
    if isinstance(value, Uniform | Normal | TwoPoint):
        return [node]
    changed = onnx.NodeProto()
    changed.CopyFrom(node)
    added = []
    for position, name in enumerate(node.input):
        found = noise.values.get(name)
        if (
            isinstance(found, Uniform | Normal | TwoPoint)
            and found.draw not in own
            and name in floats
            # A divisor that is infinite now and then has no mean.
            and np.isfinite(found.mean)
            and _is_number(noise, node, position)
        ):
            fixed = f"{PREFIX}{node.name}/{position}/mean"
            added += _fixed(name, fixed, found.mean, dtype)
            changed.input[position] = fixed
    return [*added, changed]


def _is_number(noise: NoiseMap, node: onnx.NodeProto, position: int) -> bool:
    """Whether an input is read as numbers: not as a condition, a shape or a comparison."""
    if node.op_type in ("Shape", "Size", "Where", "Not", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"):
        return node.op_type == "Where" and position > 0
    found = noise.values.get(node.output[0]) if node.output else None
    return node.op_type in ("Add", "Sub", "Mul", "Div", "Sum") and (
        found is None or isinstance(found, Masked | Jittered | Blend)
    )


def _fixed(name: str, result: str, mean: float, dtype: np.dtype[Any]) -> list[onnx.NodeProto]:
    """Make a tensor of the same shape and type that holds `mean`: 0 * tensor + mean."""
    zero, number, still = (f"{result}/{part}" for part in ("zero", "number", "still"))
    return [
        _number(zero, 0.0, dtype),
        _number(number, mean, dtype),
        helper.make_node("Mul", [name, zero], [still], name=still),
        helper.make_node("Add", [still, number], [result], name=result),
    ]


def _number(result: str, value: float, dtype: np.dtype[Any]) -> onnx.NodeProto:
    constant = numpy_helper.from_array(np.array(value, dtype=dtype), f"{result}/value")
    return helper.make_node("Constant", [], [result], name=result, value=constant)


def _mixture(node: onnx.NodeProto, chance: float, dtype: np.dtype[Any]) -> list[onnx.NodeProto]:
    result = node.output[0]
    taken, other = (f"{PREFIX}{result}/{part}" for part in ("taken", "other"))
    share, rest = (f"{PREFIX}{result}/{part}" for part in ("share", "rest"))
    return [
        _number(share, chance, dtype),
        _number(rest, 1 - chance, dtype),
        helper.make_node("Mul", [node.input[1], share], [taken], name=taken),
        helper.make_node("Mul", [node.input[2], rest], [other], name=other),
        helper.make_node("Add", [taken, other], [result], name=f"{PREFIX}{result}/mixture"),
    ]
