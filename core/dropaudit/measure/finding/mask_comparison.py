"""Masks compared exactly: between runs, sessions, sites, and along axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from dropaudit.graph.passes.seeds import holds_seeds, seeds_of
from dropaudit.graph.site import GraphSite
from dropaudit.measure.meters.site_meters import taken_cells
from dropaudit.measure.sampling.probes import SiteProbes, names_of
from dropaudit.measure.sampling.strategy import SamplingStrategy
from dropaudit.plan import Plan
from dropaudit.runtime.session import Session
from dropaudit.stats.masks import agree_for_certain, shared_axes
from dropaudit.stats.ratios import mask_cells
from dropaudit.subjects import Array

# Share of the audit's alpha that all exact comparisons get together.
ALPHA_SHARE = 0.1
_RUNS = 8
_MOST_RUNS = 64
# Runs of masks that have enough cells each.
_FEWEST_RUNS = 3
# Runs of a model that returns few numbers, and how many it may return in all.
_MOST_RUNS_OF_FEW, _NUMBERS = 256, 2**22
# Cells under which independent masks at a keep probability of .95 may agree by chance.
_FEWEST_CELLS = 192
# Enough cells that independent masks at a keep probability of .98 hardly agree by chance.
_ENOUGH_CELLS = 2048

Mask = NDArray[np.bool_]


class SiteMasks(msgspec.Struct, frozen=True):
    """Masks of one site over several runs, shape (runs, …)."""

    kept: Mask
    informative: Mask


class MaskStudy(msgspec.Struct, frozen=True):
    """The results of exact comparison.

    Attributes:
        frozen: sites whose mask is the same in every run.
        replayed: sites that draw the same masks in every session.
        shared: by site, the axes of one replicate along which one mask cell serves.
        identical: pairs of sites that always draw the same mask.
        fewest_cells: fewest cells that a mask has in one replicate.
    """

    frozen: frozenset[GraphSite]
    replayed: frozenset[GraphSite]
    shared: Mapping[GraphSite, tuple[int, ...]]
    identical: tuple[tuple[GraphSite, GraphSite], ...]
    fewest_cells: int = 1


def study_masks(drawing: SamplingStrategy, plan: Plan, seeds: np.random.Generator) -> MaskStudy:
    """Compare masks of a few single runs of a session, and of a second session where the graph holds seeds."""
    sites = tuple(drawing.probes)
    if not sites:
        return MaskStudy(frozenset(), frozenset(), {}, ())
    first = _masks(drawing, seeds)
    comparisons = 3 * len(sites) + len(sites) * (len(sites) - 1) // 2 + sum(kept.kept.ndim for kept in first.values())
    alpha = plan.alpha * ALPHA_SHARE / max(1, comparisons)
    shared = {site: _shared(first[site], alpha) for site in sites}
    cells = {site: _by_cell(first[site], shared[site]) for site in sites}
    return MaskStudy(
        frozen=frozenset(site for site in sites if _is_frozen(cells[site], alpha)),
        replayed=_replayed(drawing, shared, alpha, seeds),
        shared=shared,
        identical=tuple((a, b) for a, b in combinations(sites, 2) if _are_identical(cells[a], cells[b], alpha)),
        fewest_cells=min(each.kept[0].size for each in cells.values()),
    )


def _masks(drawing: SamplingStrategy, seeds: np.random.Generator | None = None) -> dict[GraphSite, SiteMasks]:
    """Run until the masks have enough cells; more where a site always keeps, as one cell for a whole batch may.

    One cell that a seed draws hardly changes from run to run: with `seeds` such masks are drawn with other ones.
    """
    probes = drawing.probes
    names = names_of(probes)
    runs: list[dict[str, Array]] = [drawing.run(names) for _ in range(_FEWEST_RUNS)]
    found = {site: _stacked(site, each, runs) for site, each in probes.items()}
    if all(_cells_of_one(masks) >= _ENOUGH_CELLS for masks in found.values()):
        return found
    runs += [drawing.run(names) for _ in range(_RUNS - _FEWEST_RUNS)]
    smallest = min((runs[0][each.after].size for each in probes.values()), default=_ENOUGH_CELLS)
    more = min(_MOST_RUNS, -(-_ENOUGH_CELLS // max(1, smallest))) - _RUNS
    runs += [drawing.run(names) for _ in range(more)]
    is_seeded = holds_seeds(drawing.source.model)
    most = max(len(runs), min(_MOST_RUNS_OF_FEW, _NUMBERS // drawing.elements))
    while True:
        found = {site: _stacked(site, each, runs) for site, each in probes.items()}
        if len(runs) >= most or all(_varied_cells(masks) >= _FEWEST_CELLS for masks in found.values()):
            return found
        if seeds is not None and is_seeded and not all(_varied_cells(masks) for masks in found.values()):
            drawing, runs, seeds = drawing.with_new_seeds(seeds), [], None
        runs += [drawing.run(names) for _ in range(max(_RUNS, len(runs)))]


def _cells_of_one(masks: SiteMasks) -> int:
    """Return how many cells one mask has that tell, and are seen to be drawn apart; none where none varies."""
    if not _varied_cells(masks):
        return 0
    cells = _by_cell(SiteMasks(masks.kept[:1], masks.informative[:1]), _shared(masks, alpha=1.0))
    return int(np.count_nonzero(cells.informative))


def _varied_cells(masks: SiteMasks) -> int:
    """Return how many cells were surely drawn apart, as far as masks vary; none where all were kept, or dropped.

    Where no data away from zero comes in, no more runs would tell anything.
    """
    kept, informative = (each.reshape(len(each), -1) for each in (masks.kept, masks.informative))
    seen = kept[informative]
    if not seen.size:
        return _FEWEST_CELLS
    if seen.all() or not seen.any():
        return 0
    different = np.any((kept != kept[:, :1]) & informative & informative[:, :1])
    return seen.size if different else len(kept)


def _by_cell(masks: SiteMasks, axes: tuple[int, ...]) -> SiteMasks:
    """Count what one cell decides once."""
    behind = tuple(axis + 1 for axis in axes)
    kept, informative = (
        np.asarray(each.any(axis=behind, keepdims=True)) for each in (masks.kept & masks.informative, masks.informative)
    )
    return SiteMasks(kept, informative)


def _stacked(site: GraphSite, names: SiteProbes, runs: Sequence[Mapping[str, Array]]) -> SiteMasks:
    cells = [_cells(site, run[names.before], run[names.after]) for run in runs]  # all of one shape
    return SiteMasks(np.stack([kept for kept, _ in cells]), np.stack([informative for _, informative in cells]))


def _cells(site: GraphSite, before: Array, after: Array) -> tuple[Mask, Mask]:
    """Read a mask; of a continuous draw, on which side of its mean each factor lies."""
    before = np.broadcast_to(before, after.shape)
    if site.other is not None:
        return taken_cells(before, after)
    if site.law is not None and site.law.spread:
        cells = mask_cells(before, after)
        factors = after / np.where(cells.informative, before, 1)
        return cells.informative & (factors > site.law.slope), cells.informative
    cells = mask_cells(before, after, 0.0 if site.law is None else site.law.dropped)
    return cells.kept, cells.informative


def _is_frozen(masks: SiteMasks, alpha: float) -> bool:
    others, first = masks.kept[1:], np.broadcast_to(masks.kept[:1], masks.kept[1:].shape)
    informative = masks.informative[1:] & masks.informative[:1]
    return agree_for_certain(np.asarray(others), np.asarray(first), informative, alpha)


def _shared(masks: SiteMasks, alpha: float) -> tuple[int, ...]:
    return tuple(axis - 1 for axis in shared_axes(masks.kept, masks.informative, alpha))


def _are_identical(one: SiteMasks, other: SiteMasks, alpha: float) -> bool:
    if one.kept.shape != other.kept.shape:
        return False
    return agree_for_certain(one.kept, other.kept, one.informative & other.informative, alpha)


def _replayed(
    drawing: SamplingStrategy, shared: Mapping[GraphSite, tuple[int, ...]], alpha: float, seeds: np.random.Generator
) -> frozenset[GraphSite]:
    """Compare two fresh sessions, which differ unless the graph holds seeds."""
    model, place = drawing.source.model, drawing.place
    if not drawing.is_seeded:
        return frozenset()
    one, other = (_masks(replace(drawing, single=Session(model, place, seeds))) for _ in range(2))
    known = seeds_of(model)
    # One cell that a seed draws may be kept in all runs, which is no proof: there the seed is, of a site that drops.
    proven = {site for site in shared if site.maker in known and site.declared_keep_prob not in (0.0, 1.0)}
    return frozenset(
        site for site in shared if _agree(one[site], other[site], shared[site], math.inf if site in proven else alpha)
    )


def _agree(one: SiteMasks, other: SiteMasks, axes: tuple[int, ...], alpha: float) -> bool:
    """Compare as many runs as both have."""
    count = min(len(one.kept), len(other.kept))
    first, second = (_by_cell(SiteMasks(each.kept[:count], each.informative[:count]), axes) for each in (one, other))
    return _are_identical(first, second, alpha)
