"""Replicates drawn from the part of a model that randomness reaches; what comes before is run once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.cut import beyond, cut_at_randomness
from dropaudit.graph.expose import exposed
from dropaudit.runtime.provider import Place
from dropaudit.runtime.replicates import Axes, tiled
from dropaudit.runtime.session import Session, Tensors
from dropaudit.runtime.tiling import lengthened
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Array

_COPIES = 3
_AGREEMENT = 1e-4


@dataclass(frozen=True, slots=True)
class Source:
    """What replicates are drawn from.

    Attributes:
        model: the model, or the part of it that randomness reaches.
        feeds: its inputs, for one replicate.
        axes: batch axis of each input that has one; empty where replicates are drawn one a run.
    """

    model: onnx.ModelProto
    feeds: Tensors
    axes: Axes


@dataclass(frozen=True, slots=True)
class Silent:
    """The model without its randomness, and what it answers: by this a shortcut is checked."""

    model: onnx.ModelProto
    feeds: Tensors
    outputs: Mapping[str, Array]


def shortened(source: Source, names: Sequence[str], silent: Silent, place: Place, seeds: np.random.Generator) -> Source:
    """Return a source that leaves out what comes before the first random operator, where that is provably the same.

    The part that is left must give the outputs of the whole model when its sites are bypassed, for one replicate and,
    where replicates are drawn together, for several. Where it does not, the source is returned as it is.
    """
    cut = cut_at_randomness(source.model, names)
    if cut is None:
        return source
    try:
        shorter = _cut_source(source, cut.model, cut.frontier, place, seeds)
        if shorter is not None and _gives_the_same(shorter, silent, cut.frontier, place, seeds):
            return shorter
    except (ExecutionFailed, InvalidModel):
        # A part whose inputs have no known shape may be refused: the whole model is not.
        return source
    return source


def _cut_source(
    source: Source, part: onnx.ModelProto, frontier: Sequence[str], place: Place, seeds: np.random.Generator
) -> Source | None:
    """Run what comes before once, and find the batch axes of what it makes."""
    probed, names = exposed(source.model, [((), name) for name in frontier])
    before = Session(beyond(probed, (), tuple(names.values())), place, seeds)
    own = {value.name for value in part.graph.input}
    alone = before.run(_fed(before, source.feeds), tuple(names.values()))
    values = {name: alone[names[((), name)]] for name in frontier}
    feeds = {name: value for name, value in source.feeds.items() if name in own} | values
    if not source.axes:
        return Source(part, feeds, {})
    together = before.run(_fed(before, tiled(source.feeds, source.axes, _COPIES)), tuple(names.values()))
    axes = {name: axis for name, axis in source.axes.items() if name in own}
    for name in frontier:
        longer = together[names[((), name)]]
        if longer.shape != values[name].shape:
            axis = lengthened(values[name].shape, longer.shape, _COPIES)
            if axis is None:
                return None
            axes[name] = axis
    return Source(part, feeds, axes)


def _fed(session: Session, feeds: Mapping[str, Array]) -> Tensors:
    return {name: value for name, value in feeds.items() if name in session.input_names}


def _gives_the_same(
    shorter: Source, silent: Silent, frontier: Sequence[str], place: Place, seeds: np.random.Generator
) -> bool:
    """Compare the outputs of the silent model with those of its part beyond the frontier."""
    outputs = tuple(silent.outputs)
    session = Session(beyond(silent.model, frontier, outputs), place, seeds)
    feeds = {name: value for name, value in (silent.feeds | shorter.feeds).items() if name in session.input_names}
    found = session.run(feeds, outputs)
    if not all(agree(value, found[name], _AGREEMENT) for name, value in silent.outputs.items()):
        return False
    if not shorter.axes:
        return True
    copies = session.run(tiled(feeds, shorter.axes, _COPIES), outputs)
    return all(_repeats(value, copies[name]) for name, value in silent.outputs.items())


def _repeats(value: Array, copies: Array) -> bool:
    axis = lengthened(value.shape, copies.shape, _COPIES)
    return axis is not None and agree(np.concatenate([value] * _COPIES, axis=axis), copies, _AGREEMENT)
