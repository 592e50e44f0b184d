"""Reads replicates for the meters that still want some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dropaudit.graph.reductions import MaskPlace, reductions
from dropaudit.measure.meters import MaskMeter, SiteMeter, Take
from dropaudit.measure.output_meter import OutputMeter
from dropaudit.runtime.replicates import Reduction
from dropaudit.runtime.session import Tensors
from dropaudit.stats.ratios import smallest_input
from dropaudit.subjects import Array


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads a chunk of replicates, piece by piece and in any thread; see SiteMeter for the two halves of measuring.

    Attributes:
        sites: meters with the tensors before and after their mask.
        outputs: meters with their tensor.
        unsampled: by site, the first elements of the chunk whose factors are looked at one by one.
        unpictured: by output, the first replicates of the chunk whose single elements are looked at. Settled when the
            chunk begins: what a thread reads must not depend on what another has taken in.
    """

    sites: Sequence[tuple[SiteMeter, str, str]]
    outputs: Sequence[tuple[OutputMeter, str]]
    unsampled: Sequence[int]
    unpictured: Mapping[str, int]

    def __call__(self, start: int, draws: Tensors) -> Take:
        """Read a piece; `start` counts the replicates of the chunk before it."""
        takes = [
            site.read(draws[before], draws[after], sampled=start * draws[after][0].size < elements)
            for (site, before, after), elements in zip(self.sites, self.unsampled, strict=True)
        ]
        takes += [
            output.read(draws[name], pictured=max(0, self.unpictured[name] - start)) for output, name in self.outputs
        ]
        return _all_of(takes)

    @property
    def whole(self) -> int:
        """See `dropaudit.runtime.replicates.Reduces`: elements are looked at one by one here."""
        seen = any(site.cells == 0 for site, _, _ in self.sites)
        return max([1 if seen else 0, *self.unpictured.values()])

    def reduction(self, fixed: Tensors) -> Reduction | None:
        """See Reduces; None where a site is more than a plain mask."""
        masks = [MaskPlace(before, after, before in fixed) for _, before, after in self.sites]
        if not all(isinstance(site, MaskMeter) and site.counts_suffice for site, _, _ in self.sites):
            return None
        if any(after in fixed for _, _, after in self.sites) or any(name in fixed for _, name in self.outputs):
            return None
        constants: Tensors = {f"{mask.before}/fixed": _divisor(fixed[mask.before]) for mask in masks if mask.is_fixed}
        for output, name in self.outputs:
            constants[f"{name}/reference"] = output.weights[None]
            constants[f"{name}/divisor"] = output.divisor[None]
            constants[f"{name}/fold"] = np.array(output.fold, dtype=np.int64)
        tensors = [name for mask in masks for name in (mask.before, mask.after) if name not in fixed]
        names = dict.fromkeys([*tensors, *(name for _, name in self.outputs)])
        return Reduction(reductions(masks, [name for _, name in self.outputs]), constants, tuple(names))

    def counted(self, counts: Tensors, fixed: Tensors, whole: Callable[[], Take]) -> Take:
        """See Reduces."""
        takes: list[Take | None] = []
        for site, before, after in self.sites:
            assert isinstance(site, MaskMeter)
            own = _of(counts, after)
            cells = own["cells"].sum() if "cells" in own else _telling(fixed[before]) * len(own["kept"])
            takes.append(site.read_counts(own, int(cells)))
        takes += [output.read_counts(_of(counts, name)) for output, name in self.outputs]
        found = [take for take in takes if take is not None]
        return _all_of(found) if len(found) == len(takes) else whole()


def _of(counts: Tensors, name: str) -> Tensors:
    """Return what was counted of a tensor, by the last part of its name."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): value for key, value in counts.items() if key.startswith(prefix)}


def _divisor(before: Array) -> Array:
    """Return an input of all replicates as one row, infinite where it tells nothing."""
    flat = before.reshape(1, -1).copy()
    flat[~_tells(flat)] = np.inf
    return flat


def _telling(before: Array) -> int:
    return int(np.count_nonzero(_tells(before)))


def _tells(before: Array) -> Array:
    return np.asarray(np.isfinite(before) & (np.abs(before) > smallest_input(before.dtype)))


def _all_of(takes: Sequence[Take]) -> Take:
    def take() -> None:
        for each in takes:
            each()

    return take
