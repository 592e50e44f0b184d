"""Keep rates that a graph computes from data, and what is made of them alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dropaudit.graph.draws.elementwise_region import ELEMENTWISE, is_shape
from dropaudit.graph.draws.noise_algebra import MOVES
from dropaudit.graph.reading.scope import Scope
from dropaudit.measure.finding.region_values import RegionValues

# How a keep rate and a drop rate are made of each other.
_OF_RATES = MOVES | {"Sub", "Add", "Neg", "Clip"}
_FARTHEST = 16
# A share of draws that lie in as many equal parts of their range is off by one of them at most, rounding apart.
_PARTS_OFF = 1.1


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


class Blends:
    """Tensors made of draws and data, on which no mask was put, with the data that they are made of.

    Add(u, q) -> v        v is a blend, of q
    """

    def __init__(self, values: RegionValues) -> None:
        self._values = values
        self._data: dict[str, frozenset[str]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._data

    def add(self, result: str, data: Sequence[str], *, by_noise: bool) -> None:
        """Take in what a node makes of data, and whether of noise too; nothing where masked data is among it."""
        touched = [name for name in data if name in self._values.region.touched]
        if (by_noise or touched) and all(name in self for name in touched):
            own = {name for name in data if name not in self}
            self._data[result] = frozenset(own).union(*(self._data[name] for name in touched))

    def rates_of(self, mask: str, data: Iterable[str]) -> list[str]:
        """Return the data that a mask was compared with; of a blend, what says how much is kept."""
        return [rate for name in data for rate in (self._as_often(mask, name) if name in self else [name])]

    def _as_often(self, mask: str, blend: str) -> list[str]:
        """Return the data in a blend that is, element by element, the share of draws in which a mask is kept."""
        values = self._values.of(mask)
        if values is None:
            return []
        share, near = (values > values.min()).mean(axis=0), _PARTS_OFF / len(values)
        rates = {name: self._values.of(name, self._values.shapes[mask]) for name in sorted(self._data[blend])}
        return [
            name
            for name, rate in rates.items()
            if rate is not None and any(np.all(np.abs(rate - each) <= near) for each in (share, 1 - share))
        ]
