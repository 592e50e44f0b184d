"""From a plan to a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from dropaudit_evaluation.spellings.grammar.writer import FLOAT, INT64, GraphWriter
from dropaudit_evaluation.spellings.intention import Law, SiteIntention
from dropaudit_evaluation.spellings.network import layers, others, places, recurrent
from dropaudit_evaluation.spellings.network.network import FEATURES, TIME, Dims, Network, Tensor
from dropaudit_evaluation.spellings.network.plan import GraphPlan, SitePlan

Place = Callable[[Network, SitePlan], None]

IN_TIME: Mapping[str, Place] = {
    "scan output": recurrent.scan_output,
    "scan state": recurrent.scan_state,
    "scan input": recurrent.scan_input,
    "recurrent weight": recurrent.recurrent_weight,
    "input weight": recurrent.input_weight,
    "first state": recurrent.first_state,
    "first memory": recurrent.first_memory,
    "recurrent output": recurrent.recurrent_output,
}
ANYWHERE: Mapping[str, Place] = {
    "activation": places.activation,
    "residual": places.residual,
    "weight": places.weight,
    "function": places.function,
    "branch": places.branch,
    "loop": places.loop,
    "function in a loop": places.function_in_loop,
}
TABLE, IDS, DEAD_END = "table", "ids", "dead end"
ALONE: Mapping[str, Place] = {
    DEAD_END: places.dead_end,
    "two tensors": places.two_tensors,
    "function, twice": places.function_twice,
    "switched": places.switched,
}
PLACES: Mapping[str, Place] = {**IN_TIME, **ANYWHERE, **ALONE}
IR_VERSION = 8


@dataclass(frozen=True, slots=True)
class Built:
    """A model, with what its sites are meant to be and which choices made it."""

    model: onnx.ModelProto
    sites: tuple[SiteIntention, ...]
    record: tuple[str, ...]


def build(plan: GraphPlan, rng: np.random.Generator) -> Built:
    """Write the graph of a plan."""
    network = Network(plan, rng, Tensor("x", ()))
    remaining = _source(network, list(plan.sites))
    for number, site in enumerate(remaining):
        if number or len(remaining) < len(plan.sites):
            layers.BETWEEN[plan.between](network)
        _put(network, site)
    layers.HEADS[plan.head](network)
    output = network.graph.emit("Identity", network.h.name, name="y")
    return Built(_model(network, output), tuple(network.sites), tuple(network.record))


def _source(network: Network, sites: list[SitePlan]) -> list[SitePlan]:
    """Write where the data comes from, with the sites that stand there; return the others."""
    plan = network.plan
    batch: int | str = "batch" if plan.batch is None else plan.batch
    if plan.has_ids:
        return _embedded(network, sites, (batch, TIME))
    dims: Dims = (batch, TIME, FEATURES) if plan.has_time else (batch, FEATURES)
    network.h = Tensor(network.take_input("x", dims), dims)
    name = str(network.rng.choice(list(layers.FIRST)))
    layers.FIRST[name](network)
    return sites


def _embedded(network: Network, sites: list[SitePlan], dims: Dims) -> list[SitePlan]:
    ids, graph = network.take_input("x", dims, INT64), network.graph
    table = Tensor(network.weight(others.VOCABULARY, FEATURES), (others.VOCABULARY, FEATURES))
    for site in [site for site in sites if site.place in (TABLE, IDS)]:
        if site.place == IDS:
            ids = others.words(network, site, ids, dims)
        else:
            table = network.site(graph, table, site, on_weight=True)
    network.h = Tensor(graph.emit("Gather", table.name, ids, axis=0), (*dims, FEATURES))
    return [site for site in sites if site.place not in (TABLE, IDS)]


def _put(network: Network, site: SitePlan) -> None:
    if site.wish.law in others.LAWS:
        others.LAWS[site.wish.law](network, site)
    elif site.wish.law is Law.OFF and site.place != "switched":
        network.h = network.switched_off(network.h, site)
    else:
        PLACES[site.place](network, site)


def _model(network: Network, output: str) -> onnx.ModelProto:
    graph: GraphWriter = network.graph
    body = graph.body("spelled", network.inputs, [network.value_info(output, network.h.dims, FLOAT)])
    imports = [helper.make_opsetid("", places.OPSET)]
    if graph.functions:
        imports.append(helper.make_opsetid(places.DOMAIN, 1))
    return helper.make_model(body, opset_imports=imports, functions=graph.functions, ir_version=IR_VERSION)
