"""Replicates that stay on the device that draws them: only counts leave it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime

from dropaudit.runtime.provider import Place
from dropaudit.runtime.replicates import Found, Reduces, Reduction, Tile, Use
from dropaudit.runtime.session import Session, Tensors

OnDevice = dict[str, onnxruntime.OrtValue]


@dataclass(slots=True)
class DeviceSampler:
    """Draws many replicates in one run; what is drawn, and what it is drawn from, stays on the device.

    Attributes:
        shapes: shape of one replicate of each tensor.
        largest: most replicates of one run.
        device: as the runtime names it.
    """

    session: Session
    tile: Tile
    shapes: Mapping[str, tuple[int, ...]]
    place: Place
    seeds: np.random.Generator
    largest: int
    device: str
    _fed: dict[int, OnDevice] = field(default_factory=dict, init=False)
    _reducers: dict[tuple[str, ...], tuple[Session, dict[str, Any]]] = field(default_factory=dict, init=False)

    @property
    def name(self) -> str:
        """See Sampler."""
        return "tiled"

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        """See Sampler. A use that is content with counts gets the elements of its first replicates only."""
        reduction, first = None, count
        if isinstance(use, Reduces):
            reduction = use.reduction(self.tile.fixed)
            first = count if reduction is None else min(count, use.whole)
        start = 0
        while start < count:
            size = min(self.largest, (first if start < first else count) - start)
            if start < first or reduction is None:
                yield size, use(start, self._elements(self._draw(size, names), names, size))
            else:
                yield size, self._counted(start, size, names, reduction, use)
            start += size

    def _draw(self, size: int, names: Sequence[str]) -> OnDevice:
        return self.session.run_bound(self._inputs(size), self.tile.drawn(names), self.device)

    def _inputs(self, size: int) -> OnDevice:
        """Return the inputs of `size` replicates on the device; kept until another size is asked for."""
        if size not in self._fed:
            self._fed.clear()
            self._fed[size] = {name: self._moved(value) for name, value in self.tile.repeated(size).items()}
        return self._fed[size]

    def _moved(self, value: np.ndarray[Any, Any]) -> onnxruntime.OrtValue:
        return onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(value), self.device, 0)

    def _elements(self, drawn: OnDevice, names: Sequence[str], size: int) -> Tensors:
        return self.tile.split({name: value.numpy() for name, value in drawn.items()}, names, size)

    def _counted(self, start: int, size: int, names: Sequence[str], reduction: Reduction, use: Any) -> Any:
        drawn = self._draw(size, names)
        session, constants = self._reducer(reduction)
        shapes = {f"{name}/shape": self._apart(name, size) for name in reduction.tensors}
        tensors = {name: drawn[name] for name in reduction.tensors}
        counts = session.run_bound({**constants, **shapes, **tensors}, session.output_names, "cpu")
        found = {name: value.numpy() for name, value in counts.items()}

        def whole() -> Any:
            return use(start, self._elements(drawn, names, size))

        return use.counted(found, self.tile.fixed, whole)

    def _reducer(self, reduction: Reduction) -> tuple[Session, dict[str, Any]]:
        key = (*reduction.tensors, *sorted(reduction.constants))
        if key not in self._reducers:
            # Extents steer the host; everything else goes to the device once.
            constants = {
                name: value if value.dtype == np.int64 else self._moved(value)
                for name, value in reduction.constants.items()
            }
            self._reducers[key] = (Session(reduction.model, self.place, self.seeds, reseeds=False), constants)
        return self._reducers[key]

    def _apart(self, name: str, size: int) -> np.ndarray[Any, Any]:
        """Return the shape (A, K, B) that sets replicates apart from what lies before and after them."""
        axis, shape = self.tile.output_axes[name], self.shapes[name]
        extents = (int(np.prod(shape[:axis])), size, int(np.prod(shape[axis:])))
        return np.array(extents, dtype=np.int64)
