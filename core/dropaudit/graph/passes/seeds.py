"""Seeds that random operators carry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import onnx
from onnx import helper

from dropaudit.graph.passes.derive_mode import copy_of, graphs_of
from dropaudit.graph.reading.dropout_operator import FIRST_TRAINABLE_OPSET
from dropaudit.graph.reading.random_types import DRAWS, RANDOM
from dropaudit.graph.reading.scope import opset_of

# The runtime's generator is x -> 16807 x mod 2^31 - 1: seeds that are equal by that are one stream, and 0 is 1.
_MODULUS = 2**31 - 1


def holds_seeds(model: onnx.ModelProto) -> bool:
    """Whether any operator carries a seed."""
    return bool(seeds_of(model))


def seeds_of(model: onnx.ModelProto) -> dict[str, int]:
    """Return the seeds of random operators by the name of their node; those of one stream are one."""
    return {
        node.name: int(helper.get_attribute_value(attribute)) % _MODULUS or 1
        for graph, _ in graphs_of(model.graph)
        for node in graph.node
        for attribute in node.attribute
        if attribute.name == "seed" and node.op_type in RANDOM
    }


def seeded(model: onnx.ModelProto, draw_seed: Callable[[], int]) -> onnx.ModelProto:
    """Give every Dropout, and every operator that carries a seed, another one, and with it a generator of its own.

        Dropout(x, r, t) -> y ; Bernoulli<seed = 3>(p) -> a ; Bernoulli<seed = 3>(p) -> b      becomes
        Dropout<seed = 71>(x, r, t) -> y ; Bernoulli<seed = 52>(p) -> a ; Bernoulli<seed = 52>(p) -> b

    Operators whose seeds are equal keep equal ones, so that what they draw together has the same law. Without a seed
    all Dropout operators of a process draw from one generator, so that what a run draws depends on what else runs.
    One of an opset without a train mode takes no seed.
    """
    changed = copy_of(model)
    trains = opset_of(model) >= FIRST_TRAINABLE_OPSET
    known = seeds_of(model)
    drawn: dict[int, int] = {}
    for graph, _ in graphs_of(changed.graph):
        for node in graph.node:
            if node.name in known and node.op_type in RANDOM:
                _set_seed(node, drawn.setdefault(known[node.name], draw_seed()))
            elif node.op_type == "Dropout" and trains:
                _set_seed(node, draw_seed())
    return changed


def with_seeds(model: onnx.ModelProto, seeds: Mapping[str, int]) -> onnx.ModelProto:
    """Give some random operators, by the name of their node, a seed."""
    changed = copy_of(model)
    for graph, _ in graphs_of(changed.graph):
        for node in graph.node:
            if node.name in seeds and node.op_type in DRAWS:
                _set_seed(node, seeds[node.name])
    return changed


def _set_seed(node: onnx.NodeProto, seed: int) -> None:
    kept = [attribute for attribute in node.attribute if attribute.name != "seed"]
    _set_attributes(node, [*kept, helper.make_attribute("seed", seed if node.op_type == "Dropout" else float(seed))])


def _set_attributes(node: onnx.NodeProto, attributes: Sequence[onnx.AttributeProto]) -> None:
    copies = [onnx.AttributeProto.FromString(attribute.SerializeToString()) for attribute in attributes]
    del node.attribute[:]
    node.attribute.extend(copies)


def holds_dropout(model: onnx.ModelProto) -> bool:
    """Whether any operator is a Dropout."""
    return any(node.op_type == "Dropout" for graph, _ in graphs_of(model.graph) for node in graph.node)


def without_seeds_of_dropout(model: onnx.ModelProto, kept: Collection[str] = ()) -> onnx.ModelProto:
    """Let Dropout operators draw from the generator of the process, which can be seeded at each run.

        Dropout<seed = 71>(x, r, t) -> y        becomes        Dropout(x, r, t) -> y

    Args:
        model: the model.
        kept: names of operators that keep their seed.
    """
    changed = copy_of(model)
    for graph, _ in graphs_of(changed.graph):
        for node in graph.node:
            if node.op_type == "Dropout" and node.name not in kept:
                _set_attributes(node, [each for each in node.attribute if each.name != "seed"])
    return changed
