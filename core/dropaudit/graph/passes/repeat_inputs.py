"""A pass that lets a model repeat its own inputs: what is the same in all replicates is sent to a device once."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of


def repeats_of(name: str) -> str:
    """Return the input that says how often another is repeated along each axis, of 64-bit integers, shape (rank,)."""
    return f"{PREFIX}repeats/{name}"


def one_of(name: str) -> str:
    """Return the input that holds one copy of what was an input."""
    return f"{PREFIX}one/{name}"


def repeating(model: onnx.ModelProto, names: Iterable[str]) -> onnx.ModelProto:
    """Repeat inputs inside the model.

        g (float[batch,8] x) => …
        becomes      g (float[n,8] one/x, int64[2] repeats/x) => … { x = Tile(one/x, repeats/x) … }

    An extent along which there are copies gets no name of the model's: the others are not repeated.
    """
    found = copy_of(model)
    wanted = frozenset(names)
    nodes = []
    for value in [value for value in found.graph.input if value.name in wanted]:
        name = value.name
        value.name = one_of(name)
        for axis, extent in enumerate(value.type.tensor_type.shape.dim):
            if not extent.HasField("dim_value"):
                extent.dim_param = f"{PREFIX}one/{name}/{axis}"
        found.graph.input.append(helper.make_tensor_value_info(repeats_of(name), onnx.TensorProto.INT64, None))
        nodes.append(helper.make_node("Tile", [one_of(name), repeats_of(name)], [name], name=f"{PREFIX}Tile/{name}"))
    for node in reversed(nodes):
        found.graph.node.insert(0, node)
    for value in found.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    del found.graph.value_info[:]
    return found
