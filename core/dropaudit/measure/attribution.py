"""Which of several sites causes how much of an output's gap and variance: one at a time, and all but one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.errors import AuditCancelled, ExecutionFailed, OutOfMemory, ShapeVaries
from dropaudit.graph.passes.derive_mode import graphs_of, without_sites
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Case
from dropaudit.measure.prepare import Prepared
from dropaudit.measure.sampling.stochastic_part import Source
from dropaudit.measure.sampling.strategy import SamplingStrategy
from dropaudit.plan import IsCancelled
from dropaudit.report import Attribution
from dropaudit.runtime.session import Tensors
from dropaudit.stats.effect import Effect, RunningEffect
from dropaudit.subjects import Array

_FEWEST, _MOST = 64, 256
# A large output says as much with fewer replicates.
_ELEMENT_BUDGET = 2**20
_MOST_SITES = 8

Effects = Mapping[str, Effect]


def attribute(
    case: Case, prepared: Prepared, seeds: np.random.Generator, cancelled: IsCancelled
) -> dict[str, tuple[Attribution, ...]]:
    """Measure each site alone and each left out, for every output that a site reaches.

    Returns:
        By output, in the order of the sites; empty where there are fewer than two sites, or more than eight, and
        where the shape of an output depends on them; without outputs that are not finite.

    Raises:
        AuditCancelled: `cancelled` said so.
    """
    sites = prepared.measured
    if not 2 <= len(sites) <= _MOST_SITES or len(sites) < len(case.model.active):
        return {}
    try:
        return _attributions(prepared, sites, seeds, cancelled)
    except ShapeVaries:  # without some of the sites an output has another shape
        return {}
    except ExecutionFailed as error:
        if not prepared.drawing.loops or isinstance(error, OutOfMemory):
            raise
        # A loop ends where an iteration returns another shape than the first.
        return {}


def _attributions(
    prepared: Prepared, sites: tuple[GraphSite, ...], seeds: np.random.Generator, cancelled: IsCancelled
) -> dict[str, tuple[Attribution, ...]]:
    silenced: dict[frozenset[GraphSite], Effects] = {}
    for site in sites:
        for off in (frozenset(sites) - {site}, frozenset({site})):
            if cancelled():
                raise AuditCancelled("cancelled while sites were compared one by one")
            if off not in silenced:
                silenced[off] = _effects(prepared, off, seeds)
    everything = frozenset(sites)
    return {
        name: tuple(
            _attribution(site, silenced[everything - {site}][name], silenced[frozenset({site})][name]) for site in sites
        )
        for name in prepared.linear
        if name in prepared.reference.outputs and all(name in effects for effects in silenced.values())
    }


def _attribution(site: GraphSite, alone: Effect, without: Effect) -> Attribution:
    return Attribution(
        site=site.name,
        mean_gap_alone=alone.mean_gap,
        mean_gap_without=without.mean_gap,
        variance_alone=alone.variance,
        variance_without=without.variance,
    )


def _effects(prepared: Prepared, off: frozenset[GraphSite], seeds: np.random.Generator) -> Effects:
    drawing = prepared.drawing.sketch or prepared.drawing
    source = _silenced(drawing, off)
    outputs = {name: _first_of(value, drawing.shapes[name]) for name, value in prepared.reference.outputs.items()}
    found = {name: RunningEffect(value) for name, value in outputs.items()}

    def whole(_: int, piece: Tensors) -> Tensors:
        return piece

    sampler = replace(drawing, source=source).sampler(seeds)
    count = max(_FEWEST, min(_MOST, _ELEMENT_BUDGET // drawing.elements)) if source.axes else _FEWEST
    for _, piece in sampler.pieces(count, tuple(outputs), whole):
        for name, effect in found.items():
            effect.add(piece[name])
    return {name: effect.effect for name, effect in found.items() if effect.is_finite}


def _holds_sources(source: Source, sites: frozenset[GraphSite]) -> bool:
    """Whether a model knows all tensors that stand in for the results of sites, in bodies that were cut too."""
    known = {path: _names(graph) for graph, path in graphs_of(source.model.graph)}
    return all(_needed(site) <= _seen_from(known, site.path) for site in sites)


def _needed(site: GraphSite) -> set[str]:
    return {each.source for each in site.applications} | ({site.other} if site.other is not None else set())


def _seen_from(known: Mapping[tuple[str, ...], set[str]], path: tuple[str, ...]) -> set[str]:
    """Return the tensors that a body sees: its own, and those of all graphs around it."""
    return set().union(*(known.get(path[:depth], set()) for depth in range(len(path) + 1)))


def _names(graph: onnx.GraphProto) -> set[str]:
    made = {name for node in graph.node for name in node.output}
    return made | {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}


def _first_of(value: Array, shape: tuple[int, ...]) -> Array:
    """Return the part of an output that belongs to the first entries of a batch."""
    return value[tuple(slice(extent) for extent in shape)]


def _silenced(drawing: SamplingStrategy, off: frozenset[GraphSite]) -> Source:
    """Return what replicates are drawn from, without some sites.

    A scale away from its mask may lie before the part that randomness reaches, and so may what a mask is applied to:
    then the whole model is taken.
    """
    beside = any(site.remote is not None or site.folded is not None or site.again for site in off)
    source = drawing.whole if beside or not _holds_sources(drawing.source, off) else drawing.source
    return replace(source, model=without_sites(source.model, tuple(off)))
