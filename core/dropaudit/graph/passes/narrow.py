"""A pass that leaves out what some tensors do not need."""

from __future__ import annotations

from collections.abc import Collection

import onnx

from dropaudit.graph.passes.derive_mode import copy_of, replace_nodes
from dropaudit.graph.reading.scope import reads


def narrowed(model: onnx.ModelProto, outputs: Collection[str]) -> onnx.ModelProto:
    """Return some outputs of a model alone, with the nodes that they need.

    Relu(x) -> y ; Neg(y) -> z ; return y, z      becomes, for y,      Relu(x) -> y ; return y
    """
    changed = copy_of(model)
    needed, kept = set(outputs), list[onnx.NodeProto]()
    for node in reversed(changed.graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(reads(node))
    replace_nodes(changed.graph, reversed(kept))
    for position in reversed(range(len(changed.graph.output))):
        if changed.graph.output[position].name not in outputs:
            del changed.graph.output[position]
    return changed
