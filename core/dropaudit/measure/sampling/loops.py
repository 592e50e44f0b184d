"""Replicates that cannot lie side by side along a batch, drawn one after the other in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.draws.random_operators import random_operators
from dropaudit.graph.passes.loops.replicates import COUNT, looped, replicates_of
from dropaudit.graph.passes.seeds import holds_dropout
from dropaudit.graph.reading.scope import scopes
from dropaudit.measure.sampling.single_runs import RUNS_OF_ONE_STREAM, Padded, drops_in_a_body, padded
from dropaudit.measure.sampling.stochastic_part import Silent, Source
from dropaudit.plan import Provider
from dropaudit.runtime.parallel import ParallelSampler, Stream
from dropaudit.runtime.provider import Device, cores
from dropaudit.runtime.replicates import Iterations, TiledSampler
from dropaudit.runtime.session import Session, Tensors
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Array

_AGREEMENT = 1e-4
# Iterations that are tried.
_TRIED = 4
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
    drawn, bypassed = _loop_of(source.model, seeds), _loop_of(silent.model, seeds)
    if drawn is None or bypassed is None:
        return "a loop wants operator set 11, no Dropout in a body, and none with the seed of another operator"
    try:
        _run(drawn, Iterations(source.feeds, source.fixed, shapes), tuple(shapes), place, seeds)
        known = _repeatable(silent)
        layout = Iterations(silent.feeds, {}, {name: value.shape for name, value in known.items()})
        answers = _run(bypassed, layout, tuple(known), place, seeds) if known else {}
    except (ExecutionFailed, InvalidModel):
        return "the runtime does not run a loop of it"
    same = all(agree(np.stack([value] * _TRIED), answers[name], _AGREEMENT) for name, value in known.items())
    return "" if same else "a loop of it answers otherwise"


def _repeatable(silent: Silent) -> dict[str, Array]:
    """Return the outputs that nothing random reaches, sites aside."""
    others = random_operators(scopes(silent.model), switched_on=False)
    reached = frozenset().union(*(each.outputs for each in others))
    return {name: value for name, value in silent.outputs.items() if name not in reached}


class _Loop(msgspec.Struct, frozen=True):
    """A model that draws many replicates in one run, with the paddings that keep the Dropouts of iterations apart."""

    model: onnx.ModelProto
    paddings: Padded | None

    def runs(self, place: Device, seeds: np.random.Generator) -> _PaddedRuns:
        """Return runs of one session."""
        return _PaddedRuns(self.paddings, Session(self.model, place, seeds), seeds)


class _PaddedRuns(msgspec.Struct, frozen=True):
    """Runs of a loop, each iteration with paddings of other lengths."""

    paddings: Padded | None
    session: Session
    seeds: np.random.Generator

    def run(self, feeds: Tensors, names: Sequence[str]) -> Tensors:
        """See Runs."""
        if self.paddings is None:
            return self.session.run(feeds, names)
        lengths = self.paddings.lengths(int(feeds[COUNT]), self.seeds)
        fed = {replicates_of(name): lengths[:, place] for place, name in enumerate(self.paddings.names)}
        return self.session.run(feeds | fed, names)


def _loop_of(model: onnx.ModelProto, seeds: np.random.Generator) -> _Loop | None:
    """Return the loop of a model; None where its iterations would not draw what so many runs draw."""
    if not holds_dropout(model):
        found = looped(model)
        return None if found is None else _Loop(found, None)
    made = None if drops_in_a_body(model) else padded(model, seeds)
    found = None if made is None else looped(made.model, made.names)
    return None if found is None else _Loop(found, made)


def _run(loop: _Loop, layout: Iterations, names: tuple[str, ...], place: Device, seeds: np.random.Generator) -> Tensors:
    """Return a few replicates. Raises InvalidModel, ExecutionFailed or ShapeVaries."""
    drawn = loop.runs(place, seeds).run(layout.repeated(_TRIED), layout.drawn(names))
    return layout.split(drawn, names, _TRIED)


def looped_sampler(
    model: onnx.ModelProto, layout: Iterations, elements: int, place: Device, seeds: np.random.Generator, largest: int
) -> TiledSampler | ParallelSampler:
    """Return a sampler that draws replicates one after the other in one run.

    Args:
        model: what they are drawn from; it can be looped.
        layout: its feeds, and the shapes of its results.
        elements: numbers that one replicate returns.
        place: where to run.
        seeds: source of the runtime's seeds.
        largest: most replicates of one run.
    """
    loop = _loop_of(model, seeds)
    assert loop is not None
    if loop.paddings is not None:
        return TiledSampler(loop.runs(place, seeds), layout, largest)
    streams = tuple(Stream(loop.model, place, own, RUNS_OF_ONE_STREAM) for own in seeds.spawn(_STREAMS))
    return ParallelSampler(streams, layout, elements, largest, cores())
