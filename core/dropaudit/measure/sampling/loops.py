"""Replicates that cannot lie side by side along a batch, drawn one after the other in one run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.draws.random_operators import random_operators
from dropaudit.graph.passes.loops.replicates import looped
from dropaudit.graph.reading.scope import scopes
from dropaudit.measure.sampling.single_runs import RUNS_OF_ONE_STREAM
from dropaudit.measure.sampling.stochastic_part import Silent, Source
from dropaudit.plan import Provider
from dropaudit.runtime.batch_axis import COPIES
from dropaudit.runtime.parallel import ParallelSampler, Stream
from dropaudit.runtime.provider import Device, cores
from dropaudit.runtime.replicates import Iterations
from dropaudit.runtime.session import Session, Tensors
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Array

_AGREEMENT = 1e-4
# A session of a loop takes as long as hundreds of iterations.
_STREAMS = 2


def why_not_looped(
    source: Source, silent: Silent, shapes: Mapping[str, tuple[int, ...]], place: Device, seeds: np.random.Generator
) -> str:
    """Say why replicates cannot be drawn one after the other in one run; nothing where they can.

    Each iteration of a loop draws as a run of its own does. Tried is whether the runtime takes that loop, and whether
    iterations answer as a run does where nothing is drawn.

    Args:
        source: what replicates are drawn from.
        silent: the model with its sites bypassed.
        shapes: of one replicate of each tensor that is read.
        place: where to run.
        seeds: source of the runtime's seeds.
    """
    if place.provider is not Provider.CPU:
        return "loops are run on the CPU alone"
    if looped(source.model) is None or looped(silent.model) is None:
        return "a loop wants operator set 11, and no Dropout, which begins another stream each time"
    try:
        _run(source.model, Iterations(source.feeds, source.fixed, shapes), tuple(shapes), place, seeds)
        known = _repeatable(silent)
        layout = Iterations(silent.feeds, {}, {name: value.shape for name, value in known.items()})
        answers = _run(silent.model, layout, tuple(known), place, seeds) if known else {}
    except (ExecutionFailed, InvalidModel):
        return "the runtime does not run a loop of it"
    same = all(agree(np.stack([value] * COPIES), answers[name], _AGREEMENT) for name, value in known.items())
    return "" if same else "a loop of it answers otherwise"


def _repeatable(silent: Silent) -> dict[str, Array]:
    """Return the outputs that nothing random reaches, sites aside."""
    others = random_operators(scopes(silent.model), switched_on=False)
    reached = frozenset().union(*(each.outputs for each in others))
    return {name: value for name, value in silent.outputs.items() if name not in reached}


def _run(
    model: onnx.ModelProto, layout: Iterations, names: tuple[str, ...], place: Device, seeds: np.random.Generator
) -> Tensors:
    """Return a few replicates. Raises InvalidModel, ExecutionFailed or ShapeVaries."""
    found = looped(model)
    assert found is not None
    drawn = Session(found, place, seeds).run(layout.repeated(COPIES), layout.drawn(names))
    return layout.split(drawn, names, COPIES)


def looped_sampler(
    model: onnx.ModelProto, layout: Iterations, elements: int, place: Device, seeds: np.random.Generator, largest: int
) -> ParallelSampler:
    """Return a sampler that draws replicates one after the other in one run.

    Args:
        model: what they are drawn from; it can be looped.
        layout: its feeds, and the shapes of its results.
        elements: numbers that one replicate returns.
        place: where to run.
        seeds: source of the runtime's seeds.
        largest: most replicates of one run.
    """
    found = looped(model)
    assert found is not None
    streams = tuple(Stream(found, place, own, RUNS_OF_ONE_STREAM) for own in seeds.spawn(_STREAMS))
    return ParallelSampler(streams, layout, elements, largest, cores())
