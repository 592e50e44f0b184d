"""The keep probability that a graph declares: how large a part of a draw's range is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropaudit.errors import ExecutionFailed
from dropaudit.graph.draws.elementwise_region import Region, Root, works_element_by_element
from dropaudit.graph.reading.constants import scalar
from dropaudit.graph.reading.dropout_operator import ratio_of
from dropaudit.graph.sites.placement import ancestors
from dropaudit.measure.finding.region_sites import Applied
from dropaudit.measure.finding.region_values import RegionRunner

# Parts of a draw's range in which its edges are sought, and halvings of a part that holds one.
_PARTS, _HALVINGS = 48, 30
_WIDEST_NORMAL = 5.0
_NEAR = 0.1

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Declared:
    """The larger of a mask's two values, and how often it has it."""

    larger: float
    smaller: float
    share: float


def declared_rate(runner: RegionRunner, applied: Applied, known: Mapping[str, Declared | None]) -> float | None:
    """Return the probability with which data is kept, exactly as the graph declares it.

    The draw is set to one number in all its cells, and the numbers at which kept turns to dropped are sought. None
    where several draws decide, where elements differ, and where the rate is computed from data.

    Args:
        runner: the region.
        applied: where the draw meets data.
        known: how often masks that come from outside have their larger value.
    """
    names = (applied.result, applied.source)
    if applied.other is not None:
        found = _share(runner, applied.roots, lambda found: _taken(runner, applied, found), names, known)
        return applied.kept if found is None else found
    if applied.law is None:
        return 1.0
    if not _is_elementwise(runner.region, applied.mask):
        return None
    fill = applied.law.fill

    def kept(found: Mapping[str, NDArray[Any]]) -> Flags:
        after, before = np.broadcast_arrays(found[applied.result], _source(runner, applied.source, found))
        telling = np.abs(before) > 1e-30
        tolerance = 1e-3 * abs(fill)
        return np.asarray(np.abs(after[telling].astype(np.float64) - fill) > tolerance)

    found = _share(runner, applied.roots, kept, names, known)
    # What is seen has the last word: cells that do not draw for themselves have another share.
    bernoulli = any(root.node is not None and root.node.op_type == "Bernoulli" for root in runner.region.roots)
    return found if found is None or bernoulli or abs(found - applied.kept) < _NEAR else None


def _is_elementwise(region: Region, mask: str) -> bool:
    """Whether each cell of a mask is made of one cell of a draw."""
    makers = [node for node in ancestors(region.scope, mask) if any(name in region.touched for name in node.output)]
    roots = {root.tensor for root in region.roots}
    return all(works_element_by_element(node) for node in makers if not roots & set(node.output))


def declared_share(runner: RegionRunner, mask: str, known: Mapping[str, Declared | None]) -> Declared | None:
    """Return how often a mask has the larger of its two values, as `declared_rate` does for data."""
    values = runner.mask_values(mask)
    if values is None:
        return None
    smaller, larger = values
    middle = (smaller + larger) / 2
    share = _share(runner, runner.region.touched[mask], lambda found: np.ravel(found[mask] > middle), (mask,), known)
    return None if share is None else Declared(larger, smaller, share)


def _taken(runner: RegionRunner, applied: Applied, found: Mapping[str, NDArray[Any]]) -> Flags:
    """Where two tensors differ, which of them is taken."""
    first, other = (_source(runner, name, found) for name in (applied.source, applied.other or ""))
    after, first, other = np.broadcast_arrays(found[applied.result], first, other)
    differ = ~np.isclose(first, other, rtol=1e-3)
    taken: Flags = np.asarray(np.isclose(after, first, rtol=1e-4))
    return np.asarray(taken[differ])


def _source(runner: RegionRunner, name: str, found: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    return found[name] if name in found else runner.value(name)


def _share(
    runner: RegionRunner,
    roots: frozenset[str],
    kept: Callable[[Mapping[str, NDArray[Any]]], Flags],
    names: tuple[str, ...],
    known: Mapping[str, Declared | None],
) -> float | None:
    drawn = [root for root in runner.region.roots if root.tensor in roots]
    streams = {root.tensor if root.node is None else root.node.name for root in drawn}
    if len(streams) != 1:
        return None
    others = runner.draw(0)

    def flag(number: float) -> bool | None:
        """Whether a draw of this number keeps; None where elements differ."""
        same = {root.tensor: np.full_like(others[root.tensor], number) for root in drawn}
        try:
            found = kept(runner.run(others | same, names))
        except ExecutionFailed:
            return None
        return bool(found[0]) if found.size and bool(np.all(found == found[0])) else None

    return _of_root(runner, drawn[0], flag, known.get(drawn[0].tensor))


def _of_root(
    runner: RegionRunner, root: Root, flag: Callable[[float], bool | None], known: Declared | None
) -> float | None:
    node = root.node
    if node is None:
        return None if known is None else _of_two(flag, known.larger, known.smaller, known.share)
    numbers = {attribute.name: attribute.f for attribute in node.attribute}
    if node.op_type.startswith("RandomUniform"):
        low, high = numbers.get("low", 0.0), numbers.get("high", 1.0)
        return _measure(flag, low, high, lambda x: (x - low) / (high - low))
    if node.op_type.startswith("RandomNormal"):
        mean, scale = numbers.get("mean", 0.0), numbers.get("scale", 1.0)
        width = _WIDEST_NORMAL * scale
        return _measure(
            flag, mean - width, mean + width, lambda x: 0.5 * (1 + math.erf((x - mean) / scale / math.sqrt(2)))
        )
    if node.op_type == "Bernoulli":
        chance = scalar(runner.value(node.input[0]))
        return None if chance is None else _of_two(flag, 1.0, 0.0, chance)
    keep = 1 - (ratio_of(runner.region.scope, node) or 0.0)
    larger = 1.0 if root.position == 1 else runner.largest(root.tensor)
    return _of_two(flag, larger, 0.0, keep)


def _of_two(flag: Callable[[float], bool | None], larger: float, smaller: float, share: float) -> float | None:
    above, below = flag(larger), flag(smaller)
    if above is None or below is None or above == below:
        return None
    return share if above else 1 - share


def _measure(
    flag: Callable[[float], bool | None], low: float, high: float, cumulative: Callable[[float], float]
) -> float | None:
    """Add up the parts of a range that are kept, with each edge sought by halving."""
    grid = [low + (high - low) * (i + 0.5) / _PARTS for i in range(_PARTS)]
    flags = [flag(number) for number in grid]
    if any(each is None for each in flags):
        return None
    share, begun = 0.0, 0.0
    for i in range(1, _PARTS):
        if flags[i] != flags[i - 1]:
            edge = _edge(flag, grid[i - 1], grid[i], bool(flags[i - 1]))
            if edge is None:
                return None
            at = cumulative(edge)
            share += at - begun if flags[i - 1] else 0.0
            begun = at
    return min(1.0, share + (1 - begun if flags[-1] else 0.0))


def _edge(flag: Callable[[float], bool | None], low: float, high: float, kept_below: bool) -> float | None:
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found = flag(middle)
        if found is None:
            # At the very edge single precision decides differently for each element.
            break
        low, high = (middle, high) if found is kept_below else (low, middle)
    return (low + high) / 2
