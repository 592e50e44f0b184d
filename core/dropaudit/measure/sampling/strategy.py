"""The choice of how to draw replicates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec
import numpy as np
import onnx
from msgspec.structs import replace

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.facts.compute_estimate import work_of
from dropaudit.graph.facts.memory_estimate import weight_elements, working_elements
from dropaudit.graph.passes.repeat_inputs import repeating
from dropaudit.graph.passes.seeds import holds_seeds
from dropaudit.graph.site import GraphSite
from dropaudit.measure.sampling.excerpt import excerpt
from dropaudit.measure.sampling.free_batches import Freed, fixed_axes, ways_to_free
from dropaudit.measure.sampling.loops import looped_sampler, why_not_looped
from dropaudit.measure.sampling.modes import NamedRuns
from dropaudit.measure.sampling.probes import SiteProbes, measured_model, names_of, probe
from dropaudit.measure.sampling.single_runs import share_a_generator, single_runs
from dropaudit.measure.sampling.stochastic_part import FirstRuns, Opened, Silent, Source, cut_source, opened, shortened
from dropaudit.measure.sampling.strategy_inputs import (
    StrategyInputs,
    keeps_copies_apart,
    share_a_seed,
    why_one_by_one,
)
from dropaudit.measure.sampling.thrift import ThriftyRuns
from dropaudit.plan import Provider
from dropaudit.runtime.batch_axis import Tiling, Trial, find_tiling
from dropaudit.runtime.cuda import Kernels, device_memory, kernels
from dropaudit.runtime.device_memory import device_memory_limit, numbers_that_fit
from dropaudit.runtime.on_device import DeviceSampler
from dropaudit.runtime.parallel import ParallelSampler, streams_of
from dropaudit.runtime.provider import Device, cores
from dropaudit.runtime.replicates import Axes, Iterations, ReseededSampler, Runs, Sampler, Tile, TiledSampler, checked
from dropaudit.runtime.session import Session, Tensors

# Numbers that single runs keep until they are looked at.
_SINGLE_BUDGET = 4_000_000
# Numbers that one run returns; of 2^15 to 2^22 measured fastest on processors with 512 KiB to 2 MiB of cache a core.
_CACHED = 2**19
# Numbers that one run may make on its way.
_IN_MEMORY = 2**24
# How much smaller than the weights is what a run returns, or makes.
_BESIDE_WEIGHTS = 4
# Numbers that one run may return or make on a device: more cost more to have than they save (a GiB some 25 ms on an
# H100), but where matrices are multiplied, for which a device wants many rows. It is asked for half as much when it
# refuses.
_ON_DEVICE = 2**27
_ON_DEVICE_PRODUCTS = 2**32
_PRODUCTS_PER_ELEMENT = 64
# Single precision counts exactly up to here.
_COUNTED = 2**24


class SamplingStrategy(msgspec.Struct, frozen=True, dict=True):
    """A way to draw replicates.

    Attributes:
        source: what replicates are drawn from.
        single: single runs of the source, with the seeds that it holds.
        probes: by measured site.
        shapes: shape of one replicate of each output and probe.
        tiling: the batch axes, where many replicates are drawn in one run.
        is_seeded: whether the artifact itself carries seeds.
        is_single: whether all of them are of single precision, with few enough elements to be counted in it.
        place: where it runs.
        whole: the model that the source is, or is a part of.
        loops: whether many replicates are drawn in one run, one after the other.
        reason: why replicates are drawn one by one; empty where they are not.
        sketch: the same for the first entries of a large batch; None where the batch is small.
        fewest_cells: fewest cells that a mask has in a replicate, as far as that is known.
    """

    source: Source
    single: Runs
    probes: Mapping[GraphSite, SiteProbes]
    shapes: Mapping[str, tuple[int, ...]]
    tiling: Tiling | None
    is_single: bool
    place: Device
    is_seeded: bool
    whole: Source
    sketch: SamplingStrategy | None = None
    loops: bool = False
    reason: str = ""
    fewest_cells: int = 1

    @property
    def name(self) -> str:
        """The name of this sampling strategy in the report."""
        if self.tiling is None:
            return "looped" if self.loops else "reseeded"
        return "tiled"

    @property
    def elements(self) -> int:
        """Numbers that one replicate returns."""
        drawn = (shape for name, shape in self.shapes.items() if name not in self.source.fixed)
        return max(1, sum(math.prod(shape) for shape in drawn))

    @cached_property
    def largest(self) -> int:
        """Replicates that one run may have on a processor."""
        # Weights that no cache holds are read once for all replicates of a run: what those return may be as large.
        weights = weight_elements(self.source.model) // _BESIDE_WEIGHTS
        return largest_run(self.source, self.elements, max(_CACHED, weights), max(_IN_MEMORY, weights))

    def run(self, names: Sequence[str]) -> Tensors:
        """Draw one replicate of the named tensors, with a random seed. Raises ShapeVaries."""
        fixed = self.source.fixed
        found = self.single.run(self.source.feeds, tuple(name for name in names if name not in fixed))
        checked(found, self.shapes)
        return {name: fixed[name] if name in fixed else found[name] for name in names}

    def with_new_seeds(self, seeds: np.random.Generator) -> SamplingStrategy:
        """Draw single runs with other seeds than the model holds, those of one mask of few cells far apart."""
        return replace(self, single=single_runs(self.source.model, self.place, seeds, fewest_cells=1))

    def sampler(self, seeds: np.random.Generator) -> Sampler:
        """Return a sampler that starts anew: the same seeds draw the same sample."""
        source, tiling = self.source, self.tiling
        if tiling is None:
            return self._without_tiling(seeds)
        tile = Tile(source.feeds, source.axes, tiling.output_axes, source.fixed, self.shapes)
        if self.place.provider is not Provider.CPU and self.is_single:
            return self.on_device("cuda", tile, seeds, kernels())
        if self.place.provider is not Provider.CPU:
            return TiledSampler(Session(source.model, self.place, seeds), tile, self.largest)
        streams = streams_of(source.model, self.place, seeds)
        return ParallelSampler(streams, tile, self.elements, self.largest, cores())

    def _without_tiling(self, seeds: np.random.Generator) -> Sampler:
        source = self.source
        if self.loops:
            layout = Iterations(source.feeds, source.fixed, self.shapes)
            largest = max(1, _CACHED // self.elements)
            return looped_sampler(source.model, layout, self.elements, self.place, seeds, largest)
        largest = max(1, _SINGLE_BUDGET // self.elements)
        runs = ThriftyRuns(source.model, lambda part: single_runs(part, self.place, seeds, self.fewest_cells))
        return ReseededSampler(runs, source.feeds, source.fixed, largest, self.shapes, runs.left)

    def one_by_one(self, reason: str) -> SamplingStrategy:
        """Return the same with one replicate a run."""
        return replace(self, loops=False, reason=reason)

    def on_device(
        self, device: str, tile: Tile, seeds: np.random.Generator, kernels: Kernels | None = None
    ) -> DeviceSampler:
        """Return a sampler that leaves replicates on a device, as the runtime names it."""
        work = work_of(self.source.model, {name: value.shape for name, value in self.source.feeds.items()})
        wanted = _ON_DEVICE if work.products < _PRODUCTS_PER_ELEMENT * work.elements else _ON_DEVICE_PRODUCTS
        numbers = numbers_that_fit(wanted, device_memory(), device_memory_limit())
        largest = largest_run(self.source, self.elements, numbers, numbers)
        session = Session(repeating(self.source.model, self.source.axes), self.place, seeds)
        return DeviceSampler(session, tile, self.shapes, self.place, seeds, largest, device, kernels)


def make_drawing(recipe: StrategyInputs, place: Device, seeds: np.random.Generator) -> SamplingStrategy:
    """Draw many replicates in one run where that is valid, else one a run, each with a random seed.

    A model that fixes its batch is tried with a free one: the same trials decide whether that is the same model.

    Raises:
        InvalidModel: the runtime refuses the model.
        ExecutionFailed: it does not run.
    """
    drawing = _drawing(recipe, recipe.case.feeds.batch_axes, place, seeds)
    if drawing.tiling is not None:
        return drawing
    if not keeps_copies_apart(recipe):
        return _without_batch(drawing, recipe, place, seeds)
    for axes in fixed_axes(recipe.case):
        for freeing in ways_to_free(recipe.case.model.proto, recipe.silent.model, axes):
            try:
                free = _drawing(_freed(recipe, freeing, place, seeds), [axes], place, seeds)
            except (ExecutionFailed, InvalidModel):
                continue
            if free.tiling is not None:
                return free
    return _without_batch(drawing, recipe, place, seeds)


def _without_batch(
    drawing: SamplingStrategy, recipe: StrategyInputs, place: Device, seeds: np.random.Generator
) -> SamplingStrategy:
    """Draw replicates one after the other in one run where that is valid, else one a run.

    Single runs keep masks apart that the runtime draws with seeds that follow each other.
    """
    why_not = why_not_looped(drawing.source, recipe.silent, drawing.shapes, place, seeds)
    reason = f"{why_one_by_one(recipe)}; {why_not}" if why_not else ""
    model = drawing.source.model
    if share_a_generator(model) and not holds_seeds(model):
        drawing = drawing.with_new_seeds(seeds)
    return replace(drawing, loops=not why_not, reason=reason)


def _drawing(
    recipe: StrategyInputs, candidates: Sequence[Axes], place: Device, seeds: np.random.Generator
) -> SamplingStrategy:
    """Cut bodies of Scan and Loop too, unless the runtime refuses to, or something else comes out then."""
    ready = recipe.ready
    if ready is not None:
        return _drawing_from(ready.whole, ready.probed, ready.probes, recipe, candidates, place, seeds)
    probed, probes = probe(measured_model(recipe.case.model.proto), recipe.measured)
    whole = opened(probed, (*recipe.outputs, *names_of(probes)))
    if whole.cuts_bodies:
        try:
            found = _drawing_from(whole, probed, probes, recipe, candidates, place, seeds)
        except (ExecutionFailed, InvalidModel):
            found = None
        if found is not None and found.source.model is not probed:
            return found
        whole = opened(probed, (*recipe.outputs, *names_of(probes)), inside=False)
    return _drawing_from(whole, probed, probes, recipe, candidates, place, seeds)


def _drawing_from(
    whole: Opened,
    probed: onnx.ModelProto,
    probes: Mapping[GraphSite, SiteProbes],
    recipe: StrategyInputs,
    candidates: Sequence[Axes],
    place: Device,
    seeds: np.random.Generator,
) -> SamplingStrategy:
    names, ready = (*recipe.outputs, *names_of(probes)), recipe.ready
    session = Session(whole.model, place, seeds) if ready is None else ready.train
    alone = session.run(recipe.case.train_feeds, (*names, *whole.probes.values()))
    is_seeded = holds_seeds(recipe.case.model.untouched)
    full = _Try(recipe.case.train_feeds, alone, recipe.silent)
    tried, tiling = full, None
    whole_shapes = {name: alone[name].shape for name in names}
    if keeps_copies_apart(recipe) and not share_a_seed(recipe, whole_shapes, probes):
        tried, tiling = _tiled(recipe, session, whole, probes, names, full, candidates)
    axes = {} if tiling is None else tiling.input_axes
    runs, operators = FirstRuns(tried.alone, tiling), frozenset[str]() if ready is None else ready.operators
    part = shortened(Source(probed, tried.feeds, axes), whole, runs, tried.silent, place, seeds, operators)
    shorter = None if part is None else part.source
    single = None if part is None else part.single or Session(part.source.model, place, seeds)
    if shorter is None or single is None or not (whole.cuts_bodies or _runs(single, shorter, recipe)):
        shorter, single = None, session

    def drawing(own: _Try, sketch: SamplingStrategy | None) -> SamplingStrategy:
        everything = Source(probed, own.feeds, axes)
        source = everything if shorter is None else cut_source(everything, whole, own.alone, shorter.axes)
        shapes = {name: own.alone[name].shape for name in names}
        is_single = all(own.alone[name].dtype == np.float32 and own.alone[name].size < _COUNTED for name in names)
        return SamplingStrategy(source, single, probes, shapes, tiling, is_single, place, is_seeded, everything, sketch)

    found = drawing(full, None if tried is full else drawing(tried, None))
    if whole.cuts_bodies and single is not session:
        # Only now it shows whether the runtime takes what is left of a body.
        single.run(found.source.feeds, single.output_names)
    return found


def _runs(single: NamedRuns, shorter: Source, recipe: StrategyInputs) -> bool:
    """Whether the runtime returns what lies in the bodies of a part: it wants to know shapes, which are not all known.

    Where nothing is read in a body, it is known to run.
    """
    if not any(site.path for site in recipe.measured):
        return True
    try:
        single.run(shorter.feeds, single.output_names)
    except ExecutionFailed:
        return False
    return True


class _Try(msgspec.Struct, frozen=True):
    """The start of a trial: inputs, the opened model's results for them, and the model without randomness."""

    feeds: Tensors
    alone: Tensors
    silent: Silent


def _tiled(
    recipe: StrategyInputs,
    session: NamedRuns,
    whole: Opened,
    probes: Mapping[GraphSite, SiteProbes],
    names: tuple[str, ...],
    full: _Try,
    candidates: Sequence[Axes],
) -> tuple[_Try, Tiling | None]:
    """Find the batch axes: on an excerpt of a large batch, which is a batch too."""
    elements = sum(full.alone[name].size for name in names)
    beside = tuple(whole.probes.values())
    for axes in candidates:
        try:
            tried = _excerpt(recipe, session, full, axes, elements)
        except ExecutionFailed:  # the model wants the whole batch
            tried = full
        shapes = {name: tried.alone[name].shape for name in names}
        tiling = find_tiling(_trial(recipe, session, probes, shapes, beside, tried), [axes])
        if tiling is not None:
            return tried, tiling
    return full, None


def _excerpt(recipe: StrategyInputs, session: NamedRuns, full: _Try, axes: Axes, elements: int) -> _Try:
    feeds = excerpt(full.feeds, axes, elements)
    plain = excerpt(full.silent.feeds, axes, elements)
    if feeds is None or plain is None:
        return full
    answers = recipe.bypassed.run(plain, tuple(full.silent.outputs))
    return _Try(feeds, session.run(feeds, tuple(full.alone)), Silent(full.silent.model, plain, answers))


def _trial(
    recipe: StrategyInputs,
    session: NamedRuns,
    probes: Mapping[GraphSite, SiteProbes],
    shapes: Mapping[str, tuple[int, ...]],
    beside: tuple[str, ...],
    tried: _Try,
) -> Trial:
    seen = [site for site in recipe.measured if site not in recipe.dependent]
    return Trial(
        inference=recipe.bypassed,
        train=session,
        inference_feeds=tried.silent.feeds,
        train_feeds=tried.feeds,
        answers=tried.silent.outputs,
        shapes=shapes,
        masked=[(probes[site].before, probes[site].after, _dropped(site)) for site in seen],
        beside=beside,
    )


def _freed(recipe: StrategyInputs, freeing: Freed, place: Device, seeds: np.random.Generator) -> StrategyInputs:
    return replace(
        recipe,
        case=replace(recipe.case, model=replace(recipe.case.model, proto=freeing.proto)),
        bypassed=Session(freeing.silent, place, seeds),
        shared=None,
        silent=replace(recipe.silent, model=freeing.silent),
    )


def _dropped(site: GraphSite) -> float | None:
    if site.law is None:
        return 0.0
    return None if site.law.spread or site.other is not None else site.law.dropped


def largest_run(source: Source, elements: int, returned: int, made: int) -> int:
    """Return how many replicates one run may have, so that its outputs fit the cache and its tensors the memory.

    Args:
        source: what is run.
        elements: numbers that one replicate returns.
        returned: numbers that one run may return.
        made: numbers that it may make on its way.
    """
    inner = working_elements(source.model, {name: value.shape for name, value in source.feeds.items()})
    return max(1, min(returned // elements, made // max(elements, inner)))
