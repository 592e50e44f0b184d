"""Keep rates that a graph computes from data, and what is made of them alone."""

from __future__ import annotations

from collections.abc import Iterable

from dropaudit.graph.draws.elementwise_region import ELEMENTWISE, is_shape
from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import Scope

# How a keep rate and a drop rate are made of each other.
_OF_RATES = MOVES | {"Sub", "Add", "Neg", "Clip"}
_FARTHEST = 16


class ComputedRates:
    """The tensors that masks were compared with, in the order of the graph."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._rates: set[str] = set()

    def add(self, names: Iterable[str]) -> None:
        """Take in rates, with the drop rates that they are made of.

        Sub(1, p) -> q ; Less(u, q) -> m        takes in q and p
        """
        for name in names:
            found: str | None = name
            while found is not None and found not in self._rates:
                self._rates.add(found)
                found = self._only_source(found)

    def are_in(self, name: str, depth: int = _FARTHEST) -> bool:
        """Whether a tensor is made of rates and constants alone, element by element: one over a rate, or its root."""
        if name in self._rates:
            return True
        node = self._scope.producers.get(name)
        if node is None or not depth or node.op_type not in ELEMENTWISE | MOVES:
            return False
        return all(self.are_in(source, depth - 1) for source in self._sources(name))

    def _only_source(self, name: str) -> str | None:
        node, sources = self._scope.producers.get(name), self._sources(name)
        return sources[0] if node is not None and node.op_type in _OF_RATES and len(sources) == 1 else None

    def _sources(self, name: str) -> list[str]:
        """Return what a tensor is made of, without constants and shapes."""
        node = self._scope.producers.get(name)
        if node is None:
            return []
        read = [each for place, each in enumerate(node.input) if each and not is_shape(node, place)]
        return [each for each in dict.fromkeys(read) if each not in self._scope.constants]
