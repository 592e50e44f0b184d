"""From a case to something that can be sampled: sessions, feeds, reference outputs, meters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dropaudit.graph.linear import reached_and_linear
from dropaudit.graph.rewrite import without_sites
from dropaudit.graph.site import GraphSite
from dropaudit.inputs import Feeds, make_feeds
from dropaudit.measure.case import Case, Model, is_frozen
from dropaudit.measure.meters import OutputMeter, SiteMeter
from dropaudit.measure.reference import Reference, make_reference
from dropaudit.measure.sampler import Drawing, Recipe, make_drawing
from dropaudit.measure.sampling import Meters
from dropaudit.plan import Plan
from dropaudit.runtime.provider import Place
from dropaudit.runtime.replicates import Sampler
from dropaudit.runtime.session import Session


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that sampling and judging need.

    Attributes:
        linear: outputs that sites reach; True where only linear operators lie between.
        measured: sites in the order of `meters.sites`.
        elements: numbers that one replicate returns.
    """

    feeds: Feeds
    reference: Reference
    linear: Mapping[str, bool]
    measured: tuple[GraphSite, ...]
    meters: Meters
    sampler: Sampler
    elements: int


def prepare(case: Case, plan: Plan, place: Place) -> Prepared:
    """Make sessions and feeds. Raises InvalidModel, InvalidTensor or ExecutionFailed."""
    seeds = np.random.default_rng(plan.seed)
    model = case.model
    feeds = make_feeds(
        model.signature(), case.inputs, model.switches, model.ratio_inputs, np.random.default_rng(plan.seed)
    )
    bypassed = Session(without_sites(model.proto, model.active), place, seeds)
    reference = make_reference(case, feeds, bypassed, place, seeds)
    # Sites in bodies cannot be made outputs; a frozen mask needs no sample.
    measured = tuple(site for site in model.active if site.owner is None and not is_frozen(site))
    drawing = make_drawing(Recipe(model, feeds, bypassed, measured, tuple(reference.outputs)), place, seeds)
    linear = _reached(model)
    return Prepared(
        feeds=feeds,
        reference=reference,
        linear=linear,
        measured=measured,
        meters=_meters(_declared(case, measured), reference, linear, drawing, plan),
        sampler=drawing.sampler,
        elements=sum(math.prod(shape) for shape in drawing.shapes.values()),
    )


def _reached(model: Model) -> dict[str, bool]:
    inside = {site.owner for site in model.active if site.owner is not None}
    bodies = [name for node in model.scope.graph.node if node.name in inside for name in node.output]
    return reached_and_linear(model.scope, [site.result for site in model.active if site.owner is None], bodies)


def _declared(case: Case, measured: tuple[GraphSite, ...]) -> list[tuple[GraphSite, float | None]]:
    """Pair each site with the keep probability to test: the caller's, otherwise the graph's."""
    given = case.keep_prob
    return [(site, site.declared_keep_prob if given is None else given) for site in measured]


def _meters(
    declared: list[tuple[GraphSite, float | None]],
    reference: Reference,
    linear: Mapping[str, bool],
    drawing: Drawing,
    plan: Plan,
) -> Meters:
    tested = frozenset(name for name in reference.outputs if name in linear)
    # One budget for the whole audit, split evenly over its tests.
    alpha = plan.alpha / max(1, sum(q is not None for _, q in declared) + len(tested))
    probes = drawing.probes
    return Meters(
        sites=[
            (SiteMeter(site.name, q, _shared_axes(site, drawing), alpha), probes[site.source], probes[site.result])
            for site, q in declared
        ],
        outputs=[(OutputMeter(name, value, plan.tolerance, alpha), name) for name, value in reference.outputs.items()],
        tested_outputs=tested,
    )


def _shared_axes(site: GraphSite, drawing: Drawing) -> tuple[int, ...]:
    """Return the axes of the site's result along which its mask is broadcast."""
    if site.mask is None:
        return ()
    result, mask = (drawing.shapes[drawing.probes[name]] for name in (site.result, site.mask))
    if len(mask) > len(result):
        return ()
    padded = (1,) * (len(result) - len(mask)) + mask
    return tuple(axis for axis, (a, b) in enumerate(zip(result, padded, strict=True)) if b == 1 and a > 1)
