"""Reads replicates for the meters that still want some."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from dropaudit.graph.passes.reductions import MaskPlace
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.measure.meters.site_meters import MaskMeter, SiteMeter, Take
from dropaudit.runtime.replicates import Alike, Reduction
from dropaudit.runtime.session import Tensors
from dropaudit.stats.ratios import aligned


class Reader(msgspec.Struct, frozen=True):
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
            site.read(
                aligned(draws[before], draws[after]), draws[after], sampled=start * draws[after][0].size < elements
            )
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

    def counts_suffice(self, fixed: Tensors, alike: Alike) -> bool:
        """See Reduces; not where a site is more than a plain mask."""
        if any(after in fixed or not alike(before, after) for _, before, after in self.sites):
            return False
        plain = all(isinstance(site, MaskMeter) and site.counts_suffice for site, _, _ in self.sites)
        return plain and not any(name in fixed for _, name in self.outputs)

    def reduction(self, fixed: Tensors) -> Reduction:
        """See Reduces."""
        masks = tuple(MaskPlace(before, after, before in fixed) for _, before, after in self.sites)
        seen = {after: _meter(site).factors for site, _, after in self.sites}
        return Reduction(masks, seen, {name: output for output, name in self.outputs}, fixed)

    def glimpse(self, draws: Tensors, fixed: Tensors) -> Take:
        """See Reduces."""
        takes = []
        for site, before, after in self.sites:
            values = draws[after]
            first = fixed[before].reshape(1, -1)[:, : values.shape[1]] if before in fixed else draws[before]
            takes.append(_meter(site).glimpse(np.broadcast_to(first, values.shape), values))
        return _all_of([*takes, *(output.glimpse(draws[name]) for output, name in self.outputs)])

    def counted(self, counts: Tensors, whole: Callable[[], Take]) -> Take:
        """See Reduces."""
        takes = [_meter(site).read_counts(_of(counts, after)) for site, _, after in self.sites]
        takes += [output.read_counts(_of(counts, name)) for output, name in self.outputs]
        found = [take for take in takes if take is not None]
        return _all_of(found) if len(found) == len(takes) else whole()


def _meter(site: SiteMeter) -> MaskMeter:
    assert isinstance(site, MaskMeter)  # otherwise counts do not suffice
    return site


def _of(counts: Tensors, name: str) -> Tensors:
    """Return the counts of a tensor, by the last part of their names."""
    prefix = f"{name}/"
    return {key.removeprefix(prefix): value for key, value in counts.items() if key.startswith(prefix)}


def _all_of(takes: Sequence[Take]) -> Take:
    def take() -> None:
        for each in takes:
            each()

    return take
