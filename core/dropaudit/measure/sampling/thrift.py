"""Single runs that leave out what nobody waits for any more, and know how many more of them are worth their time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import onnx

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.passes.derive_mode import graphs_of
from dropaudit.graph.passes.expose import narrowed
from dropaudit.runtime.parallel import Stream
from dropaudit.runtime.replicates import Runs
from dropaudit.runtime.session import Tensors

# About the microseconds of a run of small tensors, of each of its nodes, and of a node in a body, which takes a few
# steps; of a session, and of each of its nodes. They are the same everywhere, so that one seed is one sample.
_RUN, _NODE, _NODE_INSIDE = 40, 1, 8
_SESSION, _NODE_OF_SESSION = 600, 20
_BUDGET = 12_000_000
# A model with so many of its nodes left is not made anew.
_MOST_LEFT = 0.75


class ThriftyRuns:
    """Runs of a model, of which only the part is run that the wanted tensors need."""

    def __init__(self, model: onnx.ModelProto, make: Callable[[onnx.ModelProto], Runs]) -> None:
        self._model, self._make = model, make
        self._runs, self._part = make(model), model
        self._cost = _cost(model, self._runs)
        self._names: frozenset[str] | None = None
        self._parts: dict[frozenset[str], onnx.ModelProto] = {}
        self._spent = 0.0
        self._narrows = True

    def run(self, feeds: Tensors, names: Sequence[str]) -> Tensors:
        """See Runs."""
        wanted = frozenset(names)
        if wanted != self._names:
            self._turn_to(wanted, feeds)
        self._spent += self._cost
        return self._runs.run(feeds, names)

    def left(self, names: Sequence[str]) -> int:
        """Return how many more runs for these tensors are worth their time."""
        return max(0, int((_BUDGET - self._spent) / _cost(self._part_for(frozenset(names)), self._runs)))

    def _part_for(self, names: frozenset[str]) -> onnx.ModelProto:
        """Return the part that some tensors need; the one that is run now, where that holds little else."""
        if not self._narrows or not names:
            return self._part
        if names not in self._parts:
            self._parts[names] = narrowed(self._model, names)
        part, now = self._parts[names], self._part
        holds = names <= {value.name for value in now.graph.output}
        return now if holds and len(part.graph.node) > _MOST_LEFT * len(now.graph.node) else part

    def _turn_to(self, names: frozenset[str], feeds: Tensors) -> None:
        self._names, part = names, self._part_for(names)
        if part is self._part:
            return
        try:
            self._runs, self._part = self._make(part), part
            self._runs.run(feeds, tuple(names))
        except (ExecutionFailed, InvalidModel):
            # What is left of a valid model may be refused: the whole is not.
            self._runs, self._part, self._narrows = self._make(self._model), self._model, False
        self._cost = _cost(self._part, self._runs)


def _cost(model: onnx.ModelProto, runs: Runs) -> float:
    """Return about the microseconds of a run, with its share of a session."""
    inside = sum(len(graph.node) for graph, path in graphs_of(model.graph) if path)
    nodes = len(model.graph.node)
    session = (
        (_SESSION + _NODE_OF_SESSION * (nodes + inside)) / runs.runs_of_one_seed if isinstance(runs, Stream) else 0
    )
    return _RUN + _NODE * nodes + _NODE_INSIDE * inside + session
