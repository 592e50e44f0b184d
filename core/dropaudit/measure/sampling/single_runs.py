"""Replicates drawn one a run, so that a Dropout's masks of one run tell nothing of those of the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.graph.passes.decorrelate import with_paddings_fed
from dropaudit.graph.passes.derive_mode import PREFIX, graphs_of
from dropaudit.graph.passes.seeds import holds_dropout, holds_seeds, seeded, seeds_of, without_seeds_of_dropout
from dropaudit.runtime.parallel import RUNS_OF_ONE_SEED, Stream
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Runs
from dropaudit.runtime.session import Session, Tensors, draw_seed

# Elements of the longest padding: what consecutive seeds draw behind paddings of so many lengths is no longer alike.
_LONGEST = 1024
# Runs whose lengths are drawn together.
_DRAWN = 256
# The first cell of a mask hardly changes from a seed to the next: among so many cells it does not count.
_MANY_CELLS = 256
# Other operators than Dropout go on in one stream from run to run; a session costs as much as ten runs.
RUNS_OF_ONE_STREAM = 4096


def single_runs(model: onnx.ModelProto, place: Device, seeds: np.random.Generator, fewest_cells: int) -> Runs:
    """Return runs of a model, each with seeds of its own where the same seeds, counted on, would repeat masks.

    Seeds that are equal stay so: the masks of one run have the law that they have in the artifact.

    Args:
        model: what replicates are drawn from; its nodes are named.
        place: where to run.
        seeds: source of the runtime's seeds.
        fewest_cells: fewest cells of a mask.
    """
    if not holds_dropout(model):
        return Stream(model, place, seeds, RUNS_OF_ONE_STREAM) if holds_seeds(model) else Session(model, place, seeds)
    if not holds_seeds(model) and not share_a_generator(model):
        return Session(model, place, seeds)
    made = padded(model, seeds)
    if made is None:
        return Stream(model, place, seeds, 1 if fewest_cells < _MANY_CELLS else RUNS_OF_ONE_SEED)
    return _Repadded(made, place, seeds)


class Padded(msgspec.Struct, frozen=True):
    """A model in which Dropout operators draw, in each run, from other stretches of their generators.

    Attributes:
        model: the model.
        names: inputs that say how long the paddings are.
    """

    model: onnx.ModelProto
    names: tuple[str, ...]

    def lengths(self, count: int, seeds: np.random.Generator) -> NDArray[np.int64]:
        """Draw the lengths of many runs, shape (count, inputs, 1)."""
        return seeds.integers(0, _LONGEST, (count, len(self.names), 1))


def padded(model: onnx.ModelProto, seeds: np.random.Generator) -> Padded | None:
    """Return a model with other seeds than it holds, whose runs draw apart; None where paddings do not part them."""
    inputs = _padding_inputs(model)
    if inputs is None:
        return None
    return Padded(with_paddings_fed(_renewed(model, inputs, seeds), inputs), tuple(dict.fromkeys(inputs.values())))


class _Repadded:
    """Runs of one session of a padded model."""

    def __init__(self, made: Padded, place: Device, seeds: np.random.Generator) -> None:
        self._made = made
        self._session = Session(made.model, place, seeds)
        self._lengths = self._drawn(seeds)

    def _drawn(self, seeds: np.random.Generator) -> Iterator[Tensors]:
        """Yield lengths of the paddings of one run after another; many are drawn at a time, which costs as much."""
        while True:
            for lengths in self._made.lengths(_DRAWN, seeds):
                yield dict(zip(self._made.names, lengths, strict=True))

    def run(self, feeds: Tensors, names: Sequence[str]) -> Tensors:
        """See Runs."""
        return self._session.run(feeds | next(self._lengths), names)


def _padding_inputs(model: onnx.ModelProto) -> dict[str, str] | None:
    """Return, by Dropout operator of the main graph, the input that says how long its padding is: one for each seed.

    None where paddings do not keep the law of one run, or do not part the runs: where another operator has the seed
    of a Dropout, and goes on from run to run in its own way, or where several operators in bodies, in which each step
    draws with a seed of its own, have seeds.
    """
    known, operators, inside = seeds_of(model), _in_main_graph(model), _in_bodies(model)
    counts = Counter(known.values())
    elsewhere = [known[name] for name in known if name not in operators]
    seeded_inside = [name for name in inside if name in known]
    if any(counts[seed] > 1 for seed in elsewhere) or (seeded_inside and len(inside) > 1):
        return None
    return {name: f"{PREFIX}padding/{known.get(name, name)}" for name in operators}


def _renewed(model: onnx.ModelProto, inputs: Mapping[str, str], seeds: np.random.Generator) -> onnx.ModelProto:
    """Give operators that carry seeds others; a Dropout in a body draws from the generator of the process."""
    changed = seeded(model, lambda: draw_seed(seeds))
    own = seeds_of(model).keys() & inputs.keys()
    return without_seeds_of_dropout(changed, kept=own)


def share_a_generator(model: onnx.ModelProto) -> bool:
    """Whether a Dropout of the main graph is not alone in drawing from the generator of the process.

    Their seeds follow each other, and so their masks have something to do with each other, however far apart they draw
    at a distance that is always the same.
    """
    operators = _in_main_graph(model)
    return bool(operators) and len(operators) + len(_in_bodies(model)) > 1


def _in_main_graph(model: onnx.ModelProto) -> list[str]:
    return [node.name for node in model.graph.node if _may_draw(node)]


def drops_in_a_body(model: onnx.ModelProto) -> bool:
    """Whether a Dropout with a training mode lies in a body, where each step draws with a seed of its own."""
    return bool(_in_bodies(model))


def _in_bodies(model: onnx.ModelProto) -> list[str]:
    return [node.name for graph, path in graphs_of(model.graph) if path for node in graph.node if _may_draw(node)]


def _may_draw(node: onnx.NodeProto) -> bool:
    """Whether a node is a Dropout with a training mode."""
    return node.op_type == "Dropout" and len(node.input) > 2 and bool(node.input[2])
