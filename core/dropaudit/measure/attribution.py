"""Which of several sites causes how much of an output's gap and variance: one at a time, and all but one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dropaudit.errors import AuditCancelled
from dropaudit.graph.rewrite import without_sites
from dropaudit.graph.site import GraphSite
from dropaudit.measure.case import Case
from dropaudit.measure.prepare import Prepared
from dropaudit.measure.sampler import measured_model
from dropaudit.plan import IsCancelled
from dropaudit.report import Attribution
from dropaudit.runtime.provider import Place
from dropaudit.runtime.replicates import ReseededSampler, Sampler, Tile, TiledSampler, draw
from dropaudit.runtime.session import Session
from dropaudit.stats.effect import Effect, effect_of
from dropaudit.subjects import Array

_REPLICATES = 256
_SINGLE_RUNS = 64
# Numbers that the outputs of one chunk may hold.
_ELEMENT_BUDGET = 2_000_000
_MOST_SITES = 8

Effects = Mapping[str, Effect]


def attribute(
    case: Case, prepared: Prepared, place: Place, seeds: np.random.Generator, cancelled: IsCancelled
) -> dict[str, tuple[Attribution, ...]]:
    """Measure each site alone and each left out, for every output that a site reaches.

    Returns:
        By output, in the order of the sites; empty where there are fewer than two sites, or more than eight.

    Raises:
        AuditCancelled: `cancelled` said so.
    """
    sites = prepared.measured
    if not 2 <= len(sites) <= _MOST_SITES or len(sites) < len(case.model.active):
        return {}
    silenced: dict[frozenset[GraphSite], Effects] = {}
    for site in sites:
        for off in (frozenset(sites) - {site}, frozenset({site})):
            if cancelled():
                raise AuditCancelled("cancelled while sites were compared one by one")
            if off not in silenced:
                silenced[off] = _effects(case, prepared, off, place, seeds)
    everything = frozenset(sites)
    return {
        name: tuple(
            _attribution(site, silenced[everything - {site}][name], silenced[frozenset({site})][name]) for site in sites
        )
        for name in prepared.linear
        if name in prepared.reference.outputs
    }


def _attribution(site: GraphSite, alone: Effect, without: Effect) -> Attribution:
    return Attribution(
        site=site.name,
        mean_gap_alone=alone.mean_gap,
        mean_gap_without=without.mean_gap,
        variance_alone=alone.variance,
        variance_without=without.variance,
    )


def _effects(
    case: Case, prepared: Prepared, off: frozenset[GraphSite], place: Place, seeds: np.random.Generator
) -> Effects:
    proto = without_sites(measured_model(case.model.proto), tuple(off))
    sampler, count = _sampler(case, prepared, Session(proto, place, seeds))
    draws = draw(sampler, count, tuple(prepared.reference.outputs))
    return {name: effect_of(draws[name], value) for name, value in prepared.reference.outputs.items()}


def _sampler(case: Case, prepared: Prepared, session: Session) -> tuple[Sampler, int]:
    outputs: Mapping[str, Array] = prepared.reference.outputs
    tiling = prepared.drawing.tiling
    size = sum(value.size for value in outputs.values())
    if tiling is None:
        return ReseededSampler(session, case.train_feeds), _SINGLE_RUNS
    axes = {name: tiling.output_axes[name] for name in outputs}
    count = max(1, min(_REPLICATES, _ELEMENT_BUDGET // max(1, size)))
    return TiledSampler(session, Tile(case.train_feeds, tiling.input_axes, axes), count), count
