"""The seeds that tf2onnx writes. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from dropaudit.graph.reading.random_types import DRAWS


def seeds(model: onnx.ModelProto) -> dict[str, float]:
    """Return the seed of each random operator that has one, by the node's name."""
    return {
        node.name: attribute.f
        for node in _random_nodes(model.graph)
        for attribute in node.attribute
        if attribute.name == "seed"
    }


def without_seeds(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with the seeds of its random operators taken away.

        RandomUniform<shape = [1, 10], seed = 0.0>()  ->  RandomUniform<shape = [1, 10]>()

    tf2onnx gives operators that TensorFlow draws without a seed the seed 0, so that every session replays one
    sequence; without the attribute the runtime seeds them itself.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for node in _random_nodes(changed.graph):
        kept = [attribute for attribute in node.attribute if attribute.name != "seed"]
        del node.attribute[:]
        node.attribute.extend(kept)
    return changed


def _random_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        if node.op_type in DRAWS:
            yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _random_nodes(attribute.g)
