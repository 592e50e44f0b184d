"""Random operators that draw the same numbers by the place they have, and those that would only after a rewriting."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.passes.derive_mode import graphs_of
from dropaudit.graph.passes.expose import can_be_exposed, exposed
from dropaudit.graph.passes.seeds import seeds_of, with_seeds
from dropaudit.graph.reading.random_types import DRAWS
from dropaudit.runtime.provider import Device
from dropaudit.runtime.session import Session, draw_seed
from dropaudit.subjects import Array

# Numbers that are compared; of two streams so many are not equal by chance.
_COMPARED = 4


def with_own_seeds(
    model: onnx.ModelProto, feeds: Mapping[str, Array], place: Device, seeds: np.random.Generator
) -> onnx.ModelProto:
    """Give random operators seeds of their own where their place among the nodes of a body would decide what they draw.

    The runtime seeds an operator that carries no seed by its position in its graph, so that two in different bodies
    may draw the same, and leaving nodes out would change which do. Those that draw the same as the model is keep one
    seed together.

    Args:
        model: the model; its nodes are named.
        feeds: its inputs.
        place: where to run.
        seeds: source of randomness.
    """
    known = seeds_of(model)
    drawing = [
        (path, node)
        for graph, path in graphs_of(model.graph)
        for node in graph.node
        if node.op_type in DRAWS and node.name not in known and can_be_exposed(model, path)
    ]
    if len(drawing) < 2 or not any(path for path, _ in drawing):
        return model
    places = {(path, node.output[0]): node.name for path, node in drawing}
    try:
        probed, probes = exposed(model, places)
        found = Session(probed, place, seeds).run(feeds, tuple(probes.values()))
    except (ExecutionFailed, InvalidModel):
        return model
    groups: list[tuple[NDArray[np.float64], int]] = []
    chosen = {}
    for where, name in places.items():
        first = np.ravel(found[probes[where]])[:_COMPARED].astype(np.float64)
        alike = (seed for numbers, seed in groups if np.array_equal(numbers, first) and first.size == _COMPARED)
        chosen[name] = next(alike, None) or draw_seed(seeds)
        groups.append((first, chosen[name]))
    return with_seeds(model, chosen)
