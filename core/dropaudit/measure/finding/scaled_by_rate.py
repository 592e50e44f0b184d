"""Data that a computed keep rate scales before a mask of that rate meets it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import onnx

from dropaudit.graph.draws.elementwise_region import Region
from dropaudit.graph.reading.scope import SHAPE_READERS
from dropaudit.measure.finding.computed_rates import ComputedRates

_FARTHEST = 4
_MASKING = frozenset({"Mul", "Div", "Where"})


class ScaledByRate(msgspec.Struct, frozen=True):
    """Data before it is scaled, and by what."""

    source: str
    rate: str


def scaled_by_rates(region: Region) -> Mapping[str, ScaledByRate]:
    """Return what enters a region multiplied or divided by what may be a rate of its masks, and is read by these alone.

        Div(x, q) -> s ; Less(u, q) -> b ; Cast(b) -> m ; Mul(s, m) -> y         s comes of x, scaled by q

    Args:
        region: the region, which q and s enter.
    """
    found: dict[str, ScaledByRate] = {}
    for name in region.entering:
        rates = ComputedRates(region.scope)
        rates.add(other for other in region.entering if other != name)
        current: str | None = name
        for _ in range(_FARTHEST):
            step = None if current is None else _step(region, rates, current, found)
            if current is None or step is None:
                break
            found[current] = step
            current = step.source
    return found


def _step(region: Region, rates: ComputedRates, name: str, found: Mapping[str, ScaledByRate]) -> ScaledByRate | None:
    node = region.scope.producers.get(name)
    if node is None or node.op_type not in ("Mul", "Div") or not _is_read_by_masks(region, name, found):
        return None
    first, second = node.input
    sides = [(first, second), (second, first)] if node.op_type == "Mul" else [(first, second)]
    for source, rate in sides:
        if rate not in region.scope.constants and rates.are_in(rate) and not rates.are_in(source):
            return ScaledByRate(source, rate)
    return None


def _is_read_by_masks(region: Region, name: str, found: Mapping[str, ScaledByRate]) -> bool:
    """Whether the region alone reads a tensor, or what scales it further."""
    readers = [node for node in region.scope.consumers.get(name, []) if node.op_type not in SHAPE_READERS]
    return name not in region.scope.outputs and all(_is_of_mask(region, node, found) for node in readers)


def _is_of_mask(region: Region, node: onnx.NodeProto, found: Mapping[str, ScaledByRate]) -> bool:
    masks = node.op_type in _MASKING and any(name in region.touched for name in node.output)
    return masks or any(name in found for name in node.output)
