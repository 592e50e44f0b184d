"""The choice of how to draw replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from dropaudit.graph.batch_moments import batch_moments
from dropaudit.graph.expose import Place as TensorPlace
from dropaudit.graph.expose import exposed
from dropaudit.graph.rewrite import trains_batch_statistics, without_batch_statistics
from dropaudit.graph.site import GraphSite
from dropaudit.graph.stagger import staggered
from dropaudit.measure.case import Case
from dropaudit.measure.shortcut import Silent, Source, shortened
from dropaudit.report import Implementation
from dropaudit.runtime.provider import Place
from dropaudit.runtime.replicates import ReseededSampler, Sampler, TiledSampler
from dropaudit.runtime.session import Session
from dropaudit.runtime.tiling import Tiling, Trial, find_tiling

# Elements between the stretches that two Dropout operators of one run draw from.
_STAGGER = 64


@dataclass(frozen=True, slots=True)
class SiteProbes:
    """Names under which the tensors around a site come out."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A way to draw replicates.

    Attributes:
        sampler: returns the model's outputs, and the tensors before and after each measured site.
        probed: the model whose tensors come out, and `session` one of it.
        probes: by measured site.
        shapes: shape of one replicate of each output and probe.
        tiling: the batch axes, where many replicates are drawn in one run.
    """

    sampler: Sampler
    probed: onnx.ModelProto
    session: Session
    probes: Mapping[GraphSite, SiteProbes]
    shapes: Mapping[str, tuple[int, ...]]
    tiling: Tiling | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the choice depends on.

    Attributes:
        bypassed: session of the model with its sites bypassed.
        measured: sites that are measured one by one.
        outputs: outputs that are compared.
        silent: the model with its sites bypassed, and its outputs.
    """

    case: Case
    bypassed: Session
    measured: tuple[GraphSite, ...]
    outputs: tuple[str, ...]
    silent: Silent


def make_drawing(recipe: Recipe, place: Place, seeds: np.random.Generator) -> Drawing:
    """Draw many replicates in one run where that is valid, else one a run, each with a random seed.

    Raises:
        InvalidModel: the runtime refuses the model.
        ExecutionFailed: it does not run.
    """
    probed, probes = probe(measured_model(recipe.case.model.proto), recipe.measured)
    session = Session(probed, place, seeds)
    feeds = recipe.case.train_feeds
    names = (*recipe.outputs, *_names(probes))
    shapes = {name: value.shape for name, value in session.run(feeds, names).items()}
    tiling = _tiling(recipe, session, probes)
    whole = Source(probed, feeds, {} if tiling is None else tiling.input_axes)
    source = shortened(whole, names, recipe.silent, place, seeds)
    if tiling is not None:
        chosen = session if source is whole else Session(source.model, place, seeds)
        sampler: Sampler = TiledSampler(chosen, source.feeds, source.axes, tiling.output_axes)
    else:
        apart = _apart(recipe, source.model)
        chosen = session if apart is probed else Session(apart, place, seeds)
        sampler = ReseededSampler(chosen, source.feeds)
    return Drawing(sampler, probed, session, probes, shapes, tiling)


def measured_model(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model that replicates are drawn from: batch statistics are judged apart, and tie a batch together."""
    return without_batch_statistics(proto) if trains_batch_statistics(proto) else proto


def probe(proto: onnx.ModelProto, sites: tuple[GraphSite, ...]) -> tuple[onnx.ModelProto, dict[GraphSite, SiteProbes]]:
    """Make the tensors around each site readable."""
    places: list[TensorPlace] = [(site.path, tensor) for site in sites for tensor in (site.source, site.result)]
    probed, names = exposed(proto, places)
    return probed, {
        site: SiteProbes(names[(site.path, site.source)], names[(site.path, site.result)]) for site in sites
    }


def _names(probes: Mapping[GraphSite, SiteProbes]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in probes.values() for name in (each.before, each.after)))


def _tiling(recipe: Recipe, session: Session, probes: Mapping[GraphSite, SiteProbes]) -> Tiling | None:
    if len(recipe.measured) < len(recipe.case.model.active):
        # A site whose mask cannot be seen may share it between copies.
        return None
    if batch_moments(recipe.case.model.scope):
        # Statistics over the batch would run over all copies.
        return None
    trial = Trial(
        inference=recipe.bypassed,
        train=session,
        inference_feeds=recipe.case.plain_feeds,
        train_feeds=recipe.case.train_feeds,
        outputs=recipe.outputs,
        probes=_names(probes),
        masked=[(probes[site].before, probes[site].after, _dropped(site)) for site in recipe.measured],
    )
    return find_tiling(trial, recipe.case.feeds.batch_axes)


def _dropped(site: GraphSite) -> float | None:
    if site.law is None:
        return 0.0
    return None if site.law.spread else site.law.dropped


def _apart(recipe: Recipe, model: onnx.ModelProto) -> onnx.ModelProto:
    """Keep the masks of several Dropout operators of one run apart."""
    operators = [site for site in recipe.measured if site.implementation is Implementation.DROPOUT_OP and not site.path]
    if len(operators) < 2:
        return model
    return staggered(model, operators, [_STAGGER * number for number in range(len(operators))])
