"""Sites whose masks depend on each other, up to those that are one mask: seen on the artifact as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray

from dropaudit.errors import ExecutionFailed, InvalidModel
from dropaudit.graph.passes.derive_mode import PREFIX, copy_of, graphs_of
from dropaudit.graph.passes.expose import TensorPlace, can_be_exposed, exposed
from dropaudit.graph.passes.seeds import seeds_of
from dropaudit.graph.site import GraphSite
from dropaudit.measure.sampling.single_runs import single_runs
from dropaudit.report import Implementation
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import stacked
from dropaudit.stats.masks import chance_of_agreement
from dropaudit.subjects import Array

_MOST_RUNS, _MOST_OF_FEW_CELLS, _FEW_CELLS = 64, 256, 16
_ENOUGH_CELLS = 2048
_CHANCE = 1e-6

Mask = NDArray[np.bool_]
Pairs = tuple[tuple[GraphSite, GraphSite], ...]


class LinkedMasks(msgspec.Struct, frozen=True):
    """Pairs of sites whose masks are not independent.

    Attributes:
        decided: the first's mask decides the second's, cell by cell: it equals or contains it.
        dependent: those of equal seeds, which draw the same numbers, so that they keep the same cells more often, or
            less, than by chance. Masks of one draw are measured one by one.
    """

    decided: Pairs = ()
    dependent: Pairs = ()


INDEPENDENT = LinkedMasks()


def linked_masks(
    model: onnx.ModelProto,
    sites: Sequence[GraphSite],
    feeds: Mapping[str, Array],
    place: Device,
    seeds: np.random.Generator,
) -> LinkedMasks:
    """Return pairs of sites whose masks are not independent.

    Only sites of one draw, or whose operators carry equal seeds, can be such; the masks themselves are compared, not
    what they leave of the data, since behind a first mask a second that is the same drops nothing more.

    Args:
        model: the model as it is.
        sites: its active sites.
        feeds: its inputs in train mode.
        place: where to run.
        seeds: source of the runtime's seeds.
    """
    known = seeds_of(model)
    groups: dict[int | str, list[GraphSite]] = {}
    for site in sites:
        if site.maker and can_be_exposed(model, site.path):
            groups.setdefault(known.get(site.maker, site.maker), []).append(site)
    alike = [group for group in groups.values() if len(group) > 1]
    if not alike:
        return INDEPENDENT
    try:
        masks = _masks(model, [site for group in alike for site in group], feeds, place, seeds)
    except (ExecutionFailed, InvalidModel):
        return INDEPENDENT
    pairs = [pair for group in alike for pair in combinations(group, 2)]
    comparable = [(a, b) for a, b in pairs if masks[a].shape == masks[b].shape]
    decided = tuple((a, b) for a, b in comparable if _decides(masks[a], masks[b]))
    return LinkedMasks(decided, tuple((a, b) for a, b in comparable if a.maker != b.maker))


def _decides(one: Mask, other: Mask) -> bool:
    """Whether one of two masks lies in the other, or in what the other drops, which independent ones would hardly."""
    for inner, outer in product((one, ~one), (other, ~other)):
        if not np.any(inner & ~outer):
            # Each cell of the inner one lies in the outer one by chance with the outer's share.
            share = float(outer.mean())
            by_chance = share ** int(inner.sum()) if 0 < share < 1 else 1.0
            equal = np.array_equal(one, other) and chance_of_agreement(share, one.size) < _CHANCE
            return equal or by_chance < _CHANCE
    return False


def _masks(
    model: onnx.ModelProto,
    sites: Sequence[GraphSite],
    feeds: Mapping[str, Array],
    place: Device,
    seeds: np.random.Generator,
) -> dict[GraphSite, Mask]:
    changed = copy_of(model)
    by_path = {path: graph for graph, path in graphs_of(changed.graph)}
    places: dict[GraphSite, TensorPlace] = {site: (site.path, _mask_tensor(by_path[site.path], site)) for site in sites}
    probed, probes = exposed(changed, places.values())
    # Runs of one session draw with seeds that follow each other: a mask of one cell would hardly change.
    single = single_runs(probed, place, seeds, fewest_cells=1)
    names = tuple(dict.fromkeys(probes.values()))
    runs = [single.run(dict(feeds), names)]
    smallest = min(value.size for value in runs[0].values())
    if smallest == 0:
        raise ExecutionFailed("a mask without elements decides nothing")
    most = _MOST_OF_FEW_CELLS if smallest < _FEW_CELLS else _MOST_RUNS
    runs += [single.run(dict(feeds), names) for _ in range(min(most, _ENOUGH_CELLS // smallest))]
    # One seed draws the same cells in the same order, whatever shape they come in.
    drawn = {site: stacked(site.name, [run[probes[where]].ravel() for run in runs]) for site, where in places.items()}
    return {site: _larger(values) for site, values in drawn.items()}


def _larger(values: Array) -> Mask:
    """Return where a mask has the larger of its two values, of which neither need be zero."""
    return np.asarray(values == values.max())


def _mask_tensor(graph: onnx.GraphProto, site: GraphSite) -> str:
    """Return the tensor that holds a site's mask; a Dropout is made to return its own."""
    node = next(node for node in graph.node if node.name == site.maker) if not site.mask else None
    if node is None or site.implementation is not Implementation.DROPOUT_OP:
        return site.mask or site.result
    if len(node.output) < 2:
        node.output.append("")
    if not node.output[1]:
        node.output[1] = f"{PREFIX}mask/{node.name}"
    return node.output[1]
