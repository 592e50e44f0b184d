"""The choice of how to draw replicates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from dropaudit.graph.rewrite import exposed, staggered
from dropaudit.graph.site import GraphSite
from dropaudit.inputs import Feeds
from dropaudit.measure.case import Model, switch_feeds
from dropaudit.plan import Role
from dropaudit.report import Implementation
from dropaudit.runtime.provider import Place
from dropaudit.runtime.replicates import ReseededSampler, Sampler, TiledSampler
from dropaudit.runtime.session import Session
from dropaudit.runtime.tiling import Tiling, Trial, find_tiling
from dropaudit.subjects import Array

# Elements between the stretches that two Dropout operators of one run draw from.
_STAGGER = 64


@dataclass(frozen=True, slots=True)
class Drawing:
    """A way to draw replicates.

    Attributes:
        sampler: returns the model's outputs, and the tensors before and after each measured site.
        probes: name under which it returns a tensor of the graph.
        shapes: shape of one replicate of each output and probe.
    """

    sampler: Sampler
    probes: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the choice depends on.

    Attributes:
        bypassed: session of the model with its sites bypassed.
        measured: sites of the main graph that are measured one by one.
        outputs: outputs that are compared.
    """

    model: Model
    feeds: Feeds
    bypassed: Session
    measured: tuple[GraphSite, ...]
    outputs: tuple[str, ...]

    @property
    def train_feeds(self) -> dict[str, Array]:
        """Inputs with the sites switched on; an inference artifact is fed as whoever serves it would."""
        training = self.model.role is not Role.INFERENCE
        return {**self.feeds.arrays, **switch_feeds(self.model, on=training, override=training)}

    @property
    def inference_feeds(self) -> dict[str, Array]:
        """Inputs with the sites switched off."""
        return {**self.feeds.arrays, **switch_feeds(self.model, on=False)}


def make_drawing(recipe: Recipe, place: Place, seeds: np.random.Generator) -> Drawing:
    """Draw many replicates in one run where that is valid, else one a run, each with a random seed.

    Raises:
        InvalidModel: the runtime refuses the model.
        ExecutionFailed: it does not run.
    """
    tensors = [name for site in recipe.measured for name in (site.source, site.result, site.mask) if name is not None]
    probed, probes = exposed(recipe.model.proto, tensors)
    session = Session(probed, place, seeds)
    found = session.run(recipe.train_feeds, (*recipe.outputs, *probes.values()))
    shapes = {name: value.shape for name, value in found.items()}
    tiling = _tiling(recipe, session, probes)
    if tiling is not None:
        sampler: Sampler = TiledSampler(session, recipe.train_feeds, tiling.input_axes, tiling.output_axes)
        return Drawing(sampler, probes, shapes)
    apart = _apart(recipe, probed)
    if apart is not None:
        session = Session(apart, place, seeds)
    names = (*recipe.outputs, *_around_masks(recipe, probes))
    return Drawing(ReseededSampler(session, recipe.train_feeds, names), probes, shapes)


def _around_masks(recipe: Recipe, probes: Mapping[str, str]) -> tuple[str, ...]:
    tensors = (tensor for site in recipe.measured for tensor in (site.source, site.result))
    return tuple(dict.fromkeys(probes[tensor] for tensor in tensors))


def _tiling(recipe: Recipe, session: Session, probes: Mapping[str, str]) -> Tiling | None:
    if len(recipe.measured) < len(recipe.model.active):
        # A site whose mask cannot be seen may share it between copies.
        return None
    trial = Trial(
        inference=recipe.bypassed,
        train=session,
        inference_feeds=recipe.inference_feeds,
        train_feeds=recipe.train_feeds,
        outputs=recipe.outputs,
        probes=_around_masks(recipe, probes),
        masked=[(probes[site.source], probes[site.result]) for site in recipe.measured],
    )
    return find_tiling(trial, recipe.feeds.batch_axes)


def _apart(recipe: Recipe, probed: onnx.ModelProto) -> onnx.ModelProto | None:
    """Keep the masks of several Dropout operators of one run apart; None where there are not several."""
    operators = [site for site in recipe.measured if site.implementation is Implementation.DROPOUT_OP]
    if len(operators) < 2:
        return None
    return staggered(probed, operators, [_STAGGER * number for number in range(len(operators))])
