"""Replicates that stay on the device that draws them: only counts leave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dropaudit.graph.passes.repeat_inputs import one_of, repeats_of
from dropaudit.runtime.counters import Constants, Counter, FusedCounter, GraphCounter, OnDevice, ReplicateLayout
from dropaudit.runtime.cuda import Kernels
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Found, Reduces, Tile, Use
from dropaudit.runtime.session import Session, Tensors

# Blocks of a kernel along the axis that counts replicates.
_MOST_TOGETHER = 65_535
# Elements of a replicate that are looked at one by one.
_GLIMPSE = 2**18


@dataclass(slots=True)
class DeviceSampler:
    """Draws many replicates in one run; what is drawn, and what it is drawn from, stays on the device.

    Attributes:
        session: of a model that repeats its inputs itself, see `dropaudit.graph.passes.repeat_inputs`.
        shapes: shape of one replicate of each tensor.
        largest: most replicates of one run.
        device: as the runtime names it.
        kernels: what counts there in one pass; None where a graph of operators must.
    """

    session: Session
    tile: Tile
    shapes: Mapping[str, tuple[int, ...]]
    place: Device
    seeds: np.random.Generator
    largest: int
    device: str
    kernels: Kernels | None = None
    _constants: Constants = field(init=False)
    _counter: Counter | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._constants = Constants(self.device)

    @property
    def name(self) -> str:
        """See Sampler."""
        return "tiled"

    def affordable(self, names: Sequence[str]) -> None:
        """See Sampler."""

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        """See Sampler. A use that is content with counts gets the elements of its first replicates only."""
        counts = isinstance(use, Reduces) and use.counts_suffice(self.tile.fixed, self._lie_alike)
        first = min(count, use.whole) if counts and isinstance(use, Reduces) else count
        largest = min(self.largest, _MOST_TOGETHER)
        start = 0
        while start < count:
            if start < first and not (counts and self._may_glimpse):
                size = min(largest, first - start)
                yield size, use(start, self._elements(self._draw(size, names), names, size))
            else:
                size = min(largest, count - start)
                yield size, self._counted(start, size, names, use, max(0, min(size, first - start)))
            start += size

    def _lie_alike(self, first: str, second: str) -> bool:
        """Whether two tensors have one shape, and their replicates along one axis where both are drawn."""
        axes = {self.tile.output_axes[name] for name in (first, second) if name not in self.tile.fixed}
        return len(axes) == 1 and self.shapes[first] == self.shapes[second]

    def _draw(self, size: int, names: Sequence[str]) -> OnDevice:
        return self.session.run_bound(self._inputs(size), self.tile.drawn(names), self.device)

    def _inputs(self, size: int) -> dict[str, Any]:
        """Return one replicate's inputs, sent to the device once, and how often they are repeated there."""
        axes = self.tile.input_axes
        inputs: dict[str, Any] = {}
        for name, value in self.tile.feeds.items():
            own = one_of(name) if name in axes else name
            inputs[own] = self._constants.sent(own, value)
        for name, axis in axes.items():
            if name in self.tile.feeds:
                along = np.ones(self.tile.feeds[name].ndim, dtype=np.int64)
                along[axis] = size
                inputs[repeats_of(name)] = along
        return inputs

    def _elements(self, drawn: OnDevice, names: Sequence[str], size: int) -> Tensors:
        return self.tile.split({name: value.numpy() for name, value in drawn.items()}, names, size)

    def _counted(self, start: int, size: int, names: Sequence[str], use: Any, seen: int) -> Any:
        """Count a piece, and look at the first elements of the first of its replicates."""
        drawn = self._draw(size, names)
        fixed = self.tile.fixed
        counts = self._reducing().count(use.reduction(fixed), drawn, size)
        looked = use.glimpse(self._first(drawn, size, seen), fixed) if seen else None

        def whole() -> Any:
            return use(start, self._elements(drawn, names, size))

        taken = use.counted(counts, whole)
        return taken if looked is None else lambda: (looked(), taken())

    @property
    def _may_glimpse(self) -> bool:
        """Whether a few elements can be had without the rest."""
        extents = self._reducing().extents.items()
        return all(self._reducing().reaches(extent, min(extent.elements, _GLIMPSE)) for _, extent in extents)

    def _first(self, drawn: OnDevice, size: int, replicates: int) -> Tensors:
        reducing = self._reducing()
        return {
            name: reducing.first(value, name, size, replicates, min(reducing.extents[name].elements, _GLIMPSE))
            for name, value in drawn.items()
        }

    def _reducing(self) -> Counter:
        """Return what counts here: one pass of a kernel where there is a compiler for it, otherwise a graph."""
        if self._counter is None:
            extents = {name: self._extent(name) for name in self.tile.output_axes if name in self.shapes}
            if self.kernels is None:
                self._counter = GraphCounter(self.place, self.seeds, self._constants, extents)
            else:
                self._counter = FusedCounter(self.kernels, self._constants, extents)
        return self._counter

    def _extent(self, name: str) -> ReplicateLayout:
        axis, shape = self.tile.output_axes[name], self.shapes[name]
        return ReplicateLayout(int(np.prod(shape[:axis], dtype=np.int64)), int(np.prod(shape[axis:], dtype=np.int64)))
