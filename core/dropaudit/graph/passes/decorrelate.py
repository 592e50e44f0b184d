"""A pass that keeps the masks of several Dropout operators of one run apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from dropaudit.graph.passes.derive_mode import PREFIX, copy_of
from dropaudit.graph.site import GraphSite


def staggered(model: onnx.ModelProto, sites: Sequence[GraphSite], paddings: Sequence[int]) -> onnx.ModelProto:
    """Make Dropout operators of one run draw from different stretches of their generators.

        Dropout(x, r, t) -> y      becomes      Dropout(Pad(Flatten(x)), r, t) -> Slice -> Reshape -> y

    ONNX Runtime seeds the second Dropout of a run with the first one's seed plus one, which correlates their
    masks position by position. Each operator still applies its own kernel to its own data.

    Args:
        sites: Dropout operators of the main graph.
        paddings: how many elements to put before the data of each; zero leaves a site as it is.
    """
    changed = copy_of(model)
    for site, padding in zip(sites, paddings, strict=True):
        if padding:
            _stagger(changed.graph, site, padding)
    return changed


def _stagger(graph: onnx.GraphProto, site: GraphSite, padding: int) -> None:
    position, node = next((i, node) for i, node in enumerate(graph.node) if node.name == site.maker)
    data = node.input[0]

    def own(part: str) -> str:
        return f"{PREFIX}{site.maker}/{part}"

    numbers = {"flatten": [-1], "pads": [padding, 0], "begin": [padding], "end": [np.iinfo(np.int64).max]}
    for part, value in numbers.items():
        graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=np.int64), own(part)))
    dropout = onnx.NodeProto()
    dropout.CopyFrom(node)
    dropout.input[0] = own("long")
    del dropout.output[:]
    # The result, and the mask where the graph uses it.
    longer = (("masked", "cut"), ("mask", "kept"))
    returned = [(name, own(long), own(cut)) for name, (long, cut) in zip(node.output, longer, strict=False) if name]
    dropout.output.extend(long for _, long, _ in returned)
    steps = [
        helper.make_node("Shape", [data], [own("shape")], name=own("Shape")),
        helper.make_node("Reshape", [data, own("flatten")], [own("flat")], name=own("Flatten")),
        helper.make_node("Pad", [own("flat"), own("pads")], [own("long")], name=own("Pad")),
        dropout,
    ]
    for name, long, cut in returned:
        steps += [
            helper.make_node("Slice", [long, own("begin"), own("end")], [cut], name=f"{cut}/Slice"),
            helper.make_node("Reshape", [cut, own("shape")], [name], name=f"{cut}/Reshape"),
        ]
    graph.node.remove(node)
    for offset, step in enumerate(steps):
        graph.node.insert(position + offset, step)
