"""A pass that frees an axis which a model fixes."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, graphs_of

_LABEL = f"{PREFIX}batch"


def freed(model: onnx.ModelProto, axes: Mapping[str, int]) -> onnx.ModelProto:
    """Let inputs have any extent along an axis.

        g (float[4,8] x) => (float[4,8] y)      becomes, with axis 0 of x,      g (float[batch,8] x) => (float y)

    Shapes that were inferred from the fixed extent are forgotten, those of bodies but for their ranks. An extent that
    is written into an operator stays: such a model does not run with another, or answers otherwise, and whoever frees
    it must try.
    """
    found = copy_of(model)
    for value in found.graph.input:
        if value.name in axes:
            value.type.tensor_type.shape.dim[axes[value.name]].dim_param = _LABEL
    for value in found.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    del found.graph.value_info[:]
    for body, path in graphs_of(found.graph):
        if path:
            _forget_extents(body)
    return found


def _forget_extents(body: onnx.GraphProto) -> None:
    """Leave nothing but ranks: the runtime takes memory for what a step passes on by the extents of a body."""
    del body.value_info[:]
    for value in (*body.input, *body.output):
        for dim in value.type.tensor_type.shape.dim:
            dim.Clear()
