"""The keep probability that a graph declares: how large a part of a draw's range is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.errors import ExecutionFailed
from dropaudit.graph.draws.elementwise_region import Region, Root, works_element_by_element
from dropaudit.graph.draws.noise_algebra import PARTS
from dropaudit.graph.reading.constants import scalar
from dropaudit.graph.reading.dropout_operator import ratio_of
from dropaudit.graph.reading.random_types import NORMAL, UNIFORM
from dropaudit.graph.reading.traversal import upstream
from dropaudit.graph.site import Rates
from dropaudit.measure.by_feature.rates import (
    NARROW_PARTS,
    WIDE_PARTS,
    TooFine,
    between,
    check,
    places,
    shares_by_element,
    without_repeats,
)
from dropaudit.measure.finding.region_sites import Applied
from dropaudit.measure.finding.region_values import RegionRunner, RegionValues, chances_of

# Halvings of a part of a draw's range that holds an edge.
_HALVINGS = 30
# Parts without an edge that are looked into.
_CHECKED = 24
# Edges that are sought in all.
_MOST_EDGES = 64
_WIDEST_NORMAL = 5.0
# Draws among which one is sought in which no other mask has dropped everything.
_DRAWS = 16
_ROUNDING = 1e-6
# How far a seen share may lie from the declared one: the draws lie in 64 equal parts, and there are many.
_SEEN, _DEVIATIONS = 0.004, 5.0
# Cells that a share is seen in, and runs for it.
_LOOKED_AT, _MOST_RUNS = 2**17, 2048

# What may take an element twice, and make as many as there were.
_REPEATS = PARTS | {"GatherElements", "GatherND", "Pad"}

Flags = NDArray[np.bool_]


class Declared(msgspec.Struct, frozen=True):
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
    if applied.law is None and applied.other is None:
        return 1.0
    if applied.other is None and not _is_elementwise(runner.region, applied.mask):
        return None
    names = (applied.result, applied.source)

    def kept(found: Mapping[str, NDArray[Any]]) -> Flags:
        if applied.other is not None:
            return _taken(runner, applied, found)
        flags, informative = _kept(runner, applied, found)
        return np.asarray(flags[informative])

    bernoulli = any(root.node is not None and root.node.op_type == "Bernoulli" for root in runner.region.roots)
    rate = None
    for parts in (WIDE_PARTS, NARROW_PARTS):
        try:
            rate = _share(runner, applied.roots, kept, names, known, parts)
        except TooFine:
            continue
        if rate is None or bernoulli or abs(rate - applied.kept) <= _scatter(runner, applied):
            break
    else:
        # The observed share wins: cells that share a draw are kept at another rate than the range says.
        rate = None
    # A choice is not scaled: what was seen of it will do.
    return applied.kept if rate is None and applied.other is not None else rate


def rates_by_element(runner: RegionRunner, applied: Applied) -> Rates | None:
    """Return the probability with which each element is kept, as `declared_rate` does for all; None where not known."""
    drawn = [root for root in runner.region.roots if root.tensor in applied.roots]
    streams = {root.node.name for root in drawn if root.node is not None}
    if applied.law is None or len(streams) != 1 or not _is_elementwise(runner.region, applied.mask):
        return None
    node, others = drawn[0].node, runner.draw(0)
    law = None if node is None else _law_of_draw(node)
    if law is None:
        return None
    names = (applied.result, applied.source)

    sizes = [others[root.tensor].size for root in drawn]

    def flag(numbers: NDArray[np.float64]) -> Flags:
        parts = zip(drawn, np.split(numbers, np.cumsum(sizes)[:-1]), strict=True)
        filled = {root.tensor: part.reshape(others[root.tensor].shape) for root, part in parts}
        same = {name: each.astype(others[name].dtype) for name, each in filled.items()}
        return _kept(runner, applied, runner.run(others | same, names))[0]

    try:
        shares = shares_by_element(flag, sum(sizes), *law)
    except (ExecutionFailed, TooFine):
        return None
    if shares is None:
        return None
    informative = _kept(runner, applied, runner.run(others, names))[1]
    shares = without_repeats(np.where(informative, shares, np.nan))
    agreed = abs(float(np.nanmean(np.broadcast_to(shares, informative.shape)[informative])) - applied.kept)
    return Rates(tuple(shares.ravel().tolist()), shares.shape) if agreed <= 4 * _scatter(runner, applied) else None


def measured_share(runner: RegionRunner, applied: Applied) -> tuple[float, float]:
    """Return the share of data that is kept over many draws, and how far it may lie from the probability."""
    size = max(math.prod(runner.draw(0)[name].shape) for name in applied.roots)
    runs = max(runner.runs, min(_MOST_RUNS, -(-_LOOKED_AT // size)))
    kept, seen = np.zeros(runs), np.zeros(runs)
    for number in range(runs):
        flags, informative = _kept(runner, applied, runner.run(runner.draw(number), (applied.result, applied.source)))
        kept[number], seen[number] = (flags & informative).sum(), informative.sum()
    share = float(kept.sum() / seen.sum()) if seen.any() else applied.kept
    # Cells that share draws, as those of pooled masks do, scatter by more than independent ones.
    scatter = float(np.std(kept[seen > 0] / seen[seen > 0])) if seen.any() else 0.0
    return share, _DEVIATIONS * max(math.sqrt(share * (1 - share) / (runs * size)), scatter / math.sqrt(runs))


def _kept(runner: RegionRunner, applied: Applied, found: Mapping[str, NDArray[Any]]) -> tuple[Flags, Flags]:
    """Return which elements are kept, and which of them tell."""
    assert applied.law is not None
    fill = applied.law.fill
    after, before = np.broadcast_arrays(found[applied.result], _source(runner, applied.source, found))
    flags: Flags = np.asarray(np.abs(after.astype(np.float64) - fill) > 1e-3 * abs(fill))
    return flags, np.asarray(np.abs(before) > 1e-30)


def _scatter(runner: RegionRunner, applied: Applied) -> float:
    """Return how far the seen share may lie from the probability."""
    drawn = [root for root in runner.region.roots if root.tensor in applied.roots]
    # Noise from outside has its cells exchanged from run to run, and is never drawn anew.
    runs = 1 if any(root.node is None for root in drawn) else runner.runs
    cells = runs * max(runner.draw(0)[root.tensor].size for root in drawn)
    return _SEEN + _DEVIATIONS * math.sqrt(applied.kept * (1 - applied.kept) / max(1, min(cells, _LOOKED_AT)))


def _is_elementwise(region: Region, mask: str) -> bool:
    """Whether each cell of a mask is made of one cell of a draw; where the draw gets its shape from does not count."""
    return all(works_element_by_element(node) for node in _makers(region, mask))


def has_borders(region: Region, mask: str) -> bool:
    """Whether cells of a mask are made of several of a draw, and those at a border of fewer, as in DropBlock."""
    return any(
        any(attribute.ints) if attribute.name == "pads" else attribute.s.startswith(b"SAME")
        for node in _makers(region, mask)
        if not works_element_by_element(node)
        for attribute in node.attribute
        if attribute.name in ("pads", "auto_pad")
    )


def shares_draws(values: RegionValues, applied: Applied) -> bool:
    """Whether several cells of a mask may be made of one cell of a draw, as those of overlapping windows are."""
    cells = math.prod(values.shapes[applied.mask])
    alike = all(math.prod(values.shapes[root]) == cells for root in applied.roots)
    return not alike or any(not _is_one_to_one(node) for node in _makers(values.region, applied.mask))


def _is_one_to_one(node: onnx.NodeProto) -> bool:
    """Whether a node makes each element of one element of each input, and no two of the same, unless it stretches."""
    return works_element_by_element(node) and node.op_type not in _REPEATS


def _makers(region: Region, mask: str) -> Iterator[onnx.NodeProto]:
    """Yield the nodes between a mask and its draws."""
    made = region.touched.keys() - {root.tensor for root in region.roots}
    before = upstream(region.scope.producers.get, [mask], stops=lambda name: name not in made)
    return (region.scope.producers[name] for name in before if name in made and name in region.scope.producers)


def declared_share(runner: RegionRunner, mask: str, known: Mapping[str, Declared | None]) -> Declared | None:
    """Return how often a mask has the larger of its two values, as `declared_rate` does for data."""
    values = runner.mask_values(mask)
    if values is None:
        return None
    smaller, larger = values
    middle = (smaller + larger) / 2
    try:
        share = _share(
            runner, runner.region.touched[mask], lambda found: np.ravel(found[mask] > middle), (mask,), known
        )
    except TooFine:
        return None
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
    parts: int = WIDE_PARTS,
) -> float | None:
    drawn = [root for root in runner.region.roots if root.tensor in roots]
    streams = {root.tensor if root.node is None else root.node.name for root in drawn}
    if len(streams) != 1:
        return None
    others = _telling(runner, kept, names)

    def flag(number: float) -> bool | None:
        """Whether a draw of this number keeps; None where elements differ."""
        same = {root.tensor: np.full_like(others[root.tensor], number) for root in drawn}
        try:
            found = kept(runner.run(others | same, names))
        except ExecutionFailed:
            return None
        return bool(found[0]) if found.size and bool(np.all(found == found[0])) else None

    return _of_root(runner, drawn[0], flag, known.get(drawn[0].tensor), parts)


def _telling(
    runner: RegionRunner, kept: Callable[[Mapping[str, NDArray[Any]]], Flags], names: tuple[str, ...]
) -> dict[str, NDArray[Any]]:
    """Return draws with which data comes in that tells: another mask of one cell may have dropped all of it."""
    first = runner.draw(0)
    for number in range(_DRAWS):
        drawn = runner.draw(number) if number else first
        try:
            if kept(runner.run(drawn, names)).size:
                return drawn
        except ExecutionFailed:
            break
    return first


def _of_root(
    runner: RegionRunner, root: Root, flag: Callable[[float], bool | None], known: Declared | None, parts: int
) -> float | None:
    node = root.node
    if node is None:
        return None if known is None else _of_two(flag, known.larger, known.smaller, known.share)
    law = _law_of_draw(node)
    if law is not None:
        return _measure(flag, *law, parts)
    if node.op_type == "Bernoulli":
        chance = scalar(runner.value(node.input[0]))
        return None if chance is None else _of_two(flag, 1.0, 0.0, chance)
    if node.op_type == "Multinomial":
        return _of_categories(flag, chances_of(runner.value(node.input[0])))
    keep = 1 - (ratio_of(runner.region.scope, node) or 0.0)
    larger = 1.0 if root.position == 1 else runner.largest(node.input[0]) / keep
    return _of_two(flag, larger, 0.0, keep)


def _of_categories(flag: Callable[[float], bool | None], chances: NDArray[np.float64]) -> float | None:
    """Add up the chances of the categories that are kept; None where rows have chances of their own."""
    rows = chances.reshape(-1, chances.shape[-1])
    kept = [flag(float(category)) for category in range(rows.shape[-1])]
    if np.any(np.ptp(rows, axis=0) > _ROUNDING) or None in kept:
        return None
    return float(sum(chance for chance, keeps in zip(rows[0], kept, strict=True) if keeps))


def _law_of_draw(node: onnx.NodeProto) -> tuple[float, float, Callable[[float], float]] | None:
    """Return where a continuous draw lies, and its probability of lying below a number; None of other draws."""
    numbers = {attribute.name: attribute.f for attribute in node.attribute}
    if node.op_type in UNIFORM:
        low, high = numbers.get("low", 0.0), numbers.get("high", 1.0)
        return low, high, lambda x: (x - low) / (high - low)
    if node.op_type in NORMAL:
        mean, scale = numbers.get("mean", 0.0), numbers.get("scale", 1.0)
        width = _WIDEST_NORMAL * scale
        return mean - width, mean + width, lambda x: 0.5 * (1 + math.erf((x - mean) / scale / math.sqrt(2)))
    return None


def _of_two(flag: Callable[[float], bool | None], larger: float, smaller: float, share: float) -> float | None:
    above, below = flag(larger), flag(smaller)
    if above is None or below is None or above == below:
        return None
    return share if above else 1 - share


def _measure(
    flag: Callable[[float], bool | None], low: float, high: float, cumulative: Callable[[float], float], parts: int
) -> float | None:
    """Add up the parts of a range that are kept, with each edge sought by halving.

    Raises:
        TooFine: edges lie closer than the parts, as those of a remainder of a multiple of the draw do.
    """
    grid = places(low, high, parts)
    flags = [flag(number) for number in grid]
    if any(each is None for each in flags) or sum(a != b for a, b in pairwise(flags)) > _MOST_EDGES:
        return None
    share, begun = 0.0, 0.0
    for i in range(1, len(grid)):
        if flags[i] == flags[i - 1] and i % (parts // _CHECKED) == 0:
            check(flag(between(i, grid[i - 1], grid[i])) is flags[i])
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
