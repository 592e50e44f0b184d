"""Replicates drawn from the part of a model that randomness reaches; what comes before is run once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.passes.cut_at_randomness import Cut, beyond, cut_at_randomness
from dropaudit.graph.passes.expose import exposed
from dropaudit.measure.sampling.modes import NamedRuns, in_both_modes
from dropaudit.runtime.batch_axis import COPIES, Tiling, lengthened
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Axes, tiled
from dropaudit.runtime.session import Session, Tensors
from dropaudit.stats.agreement import agree
from dropaudit.subjects import Array

_AGREEMENT = 1e-4


class Source(msgspec.Struct, frozen=True):
    """The model and feeds that replicates are drawn from.

    Attributes:
        model: the model, or the part of it that randomness reaches.
        feeds: its inputs, for one replicate.
        axes: batch axis of each input that has one; empty where replicates are drawn one a run.
        fixed: outputs that randomness does not reach, for one replicate.
    """

    model: onnx.ModelProto
    feeds: Tensors
    axes: Axes
    fixed: Tensors = msgspec.field(default_factory=dict)


class Silent(msgspec.Struct, frozen=True):
    """The model without its randomness, and its outputs, which a shortcut is checked against."""

    model: onnx.ModelProto
    feeds: Tensors
    outputs: Mapping[str, Array]


class Opened(msgspec.Struct, frozen=True):
    """A model whose frontier can be read.

    Attributes:
        model: the whole model.
        cut: the part that randomness reaches; None where that is the whole.
        probes: names under which `model` returns the tensors of the frontier.
    """

    model: onnx.ModelProto
    cut: Cut | None
    probes: Mapping[str, str]

    @property
    def cuts_bodies(self) -> bool:
        """Whether the part leaves something out of the body of a Scan or Loop."""
        return self.cut is not None and bool(self.cut.bodies)


def opened(model: onnx.ModelProto, names: Sequence[str], *, inside: bool = True) -> Opened:
    """Find the part that randomness reaches, and expose its inputs from the rest of the model.

    `inside` says whether bodies of Scan and Loop are cut too.
    """
    cut = cut_at_randomness(model, names, inside=inside)
    if cut is None:
        return Opened(model, None, {})
    readable, probes = exposed(model, cut.frontier.values())
    return Opened(readable, cut, {name: probes[place] for name, place in cut.frontier.items()})


class FirstRuns(msgspec.Struct, frozen=True):
    """First results of an opened model: for one replicate, and the shapes for several that are drawn together."""

    alone: Mapping[str, Array]
    tiling: Tiling | None


class Shortened(msgspec.Struct, frozen=True):
    """A source that leaves out what comes before the first random operator, and runs of it where they are known."""

    source: Source
    single: NamedRuns | None


def shortened(
    tried: Source,
    whole: Opened,
    runs: FirstRuns,
    silent: Silent,
    place: Device,
    seeds: np.random.Generator,
    operators: frozenset[str] = frozenset(),
) -> Shortened | None:
    """Return a source that leaves out what comes before the first random operator, where that is provably the same.

    The part that is left must give the outputs of the whole model when its sites are bypassed, for one replicate and,
    where replicates are drawn together, for several. None where it does not.

    Args:
        tried: the whole model as a source.
        whole: the same model with its frontier readable.
        runs: what that returned for the same feeds.
        silent: the model with its sites bypassed.
        place: where to run.
        seeds: source of the runtime's seeds.
        operators: the Dropout operators whose mode alone tells the silent model apart; none where more does.
    """
    if whole.cut is None:
        return None
    try:
        axes = _cut_axes(tried, whole, runs)
        if axes is None:
            return None
        shorter = cut_source(tried, whole, runs.alone, axes)
        modes = in_both_modes(shorter.model, operators, place, seeds) if operators else None
        same = _gives_the_same(shorter, silent, whole.cut, place, seeds, None if modes is None else modes.silent)
        return Shortened(shorter, None if modes is None else modes.train) if same else None
    except (ExecutionFailed, InvalidModel):
        # A part whose inputs have no known shape may be refused: the whole model is not.
        return None


def cut_source(source: Source, whole: Opened, alone: Mapping[str, Array], axes: Axes) -> Source:
    """Return the part of a source beyond the cut, fed what the rest returned alone."""
    assert whole.cut is not None
    own = {value.name for value in whole.cut.model.graph.input}
    values = {name: alone[probe] for name, probe in whole.probes.items()}
    feeds = {name: value for name, value in source.feeds.items() if name in own} | values
    return Source(whole.cut.model, feeds, axes, {name: alone[name] for name in whole.cut.fixed})


def _cut_axes(source: Source, whole: Opened, runs: FirstRuns) -> Axes | None:
    """Find the batch axes of what comes from before; None where a tensor has none and should."""
    assert whole.cut is not None
    own = {value.name for value in whole.cut.model.graph.input}
    axes = {name: axis for name, axis in source.axes.items() if name in own}
    several = {} if runs.tiling is None else runs.tiling.beside
    for name, probe in whole.probes.items():
        value = runs.alone[probe]
        together = several.get(probe, value.shape)
        if together != value.shape:
            axis = lengthened(value.shape, together, COPIES)
            if axis is None:
                return None
            axes[name] = axis
    return axes


def _gives_the_same(
    shorter: Source,
    silent: Silent,
    cut: Cut,
    place: Device,
    seeds: np.random.Generator,
    part: NamedRuns | None,
) -> bool:
    """Compare the outputs of the silent model with those of its part beyond the frontier, or of `part` where given."""
    expected = {name: value for name, value in silent.outputs.items() if name not in shorter.fixed}
    known = silent.outputs.keys() - expected
    if not all(agree(silent.outputs[name], shorter.fixed[name], _AGREEMENT) for name in known):
        return False
    if not expected:
        return True
    model = shorter.model if part is not None else beyond(silent.model, cut, tuple(expected))
    session = part or Session(model, place, seeds)
    taken = {value.name for value in model.graph.input}
    feeds = {name: value for name, value in (silent.feeds | shorter.feeds).items() if name in taken}
    if not shorter.axes:
        found = session.run(feeds, tuple(expected))
        return all(agree(value, found[name], _AGREEMENT) for name, value in expected.items())
    copies = session.run(tiled(feeds, shorter.axes, COPIES), tuple(expected))
    return all(_repeats(value, copies[name]) for name, value in expected.items())


def _repeats(value: Array, copies: Array) -> bool:
    axis = lengthened(value.shape, copies.shape, COPIES)
    return axis is not None and agree(np.concatenate([value] * COPIES, axis=axis), copies, _AGREEMENT)
