"""A pass that multiplies the data of each site by a number that is fed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, float_type, graphs_of
from dropaudit.graph.site import GraphSite


def with_factors(
    model: onnx.ModelProto, sites: Sequence[GraphSite]
) -> tuple[onnx.ModelProto, tuple[tuple[str, np.dtype[Any]], ...]]:
    """Give a model, whose sites are bypassed, an input for each site that its result is multiplied by.

        Identity(x) -> y      becomes      Identity(x) -> y/whole ; Mul(y/whole, factor/0) -> y

    Returns:
        The model, and the name and type of the input of each site.
    """
    changed = copy_of(model)
    dtype = float_type(model)
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    names = tuple(f"{PREFIX}factor/{number}" for number in range(len(sites)))
    by_path = {path: graph for graph, path in graphs_of(changed.graph)}
    for name, site in zip(names, sites, strict=True):
        changed.graph.input.append(helper.make_tensor_value_info(name, kind, []))
        for application in site.applications:
            _multiply(by_path[site.path], application.result, name)
    return changed, tuple((name, dtype) for name in names)


def _multiply(graph: onnx.GraphProto, result: str, factor: str) -> None:
    position, node = next((i, node) for i, node in enumerate(graph.node) if result in node.output)
    whole = f"{PREFIX}{result}/whole"
    node.output[list(node.output).index(result)] = whole
    product = helper.make_node("Mul", [whole, factor], [result], name=f"{PREFIX}{result}/product")
    graph.node.insert(position + 1, product)
