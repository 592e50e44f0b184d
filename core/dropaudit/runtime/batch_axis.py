"""Finding the batch axis, by trying."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from dropaudit.errors import ExecutionFailed
from dropaudit.runtime.replicates import Axes, Runs, Tile, split, tiled
from dropaudit.runtime.session import Tensors
from dropaudit.stats.agreement import agree
from dropaudit.stats.ratios import aligned, mask_cells

# Two copies tell whether they meet. Masks of few cells may be alike by chance, and then more of them are compared.
COPIES = 2
_MORE_COPIES, _MORE_TRIALS = 4, 8
_AGREEMENT = 1e-4

# Names of the tensors around a site, and what is dropped to.
_Masked = tuple[str, str, float | None]


class Tiling(msgspec.Struct, frozen=True):
    """Batch axes under which copies of an input stay apart.

    Attributes:
        beside: shapes that other tensors of the train session have for `COPIES` copies.
    """

    input_axes: Axes
    output_axes: Axes
    beside: Mapping[str, tuple[int, ...]]


class Trial(msgspec.Struct, frozen=True):
    """The results that tiling must leave unchanged.

    Attributes:
        inference: session in which the sites let everything pass.
        train: session in which they drop.
        answers: outputs of the first for one copy.
        shapes: shapes of the outputs of the second, and of what is read beside them, for one copy.
        masked: probes before and after each site, whose masks must differ between copies, and what is dropped to;
            None where the site multiplies by a continuous draw.
        beside: tensors of the train session whose shapes are wanted too.
    """

    inference: Runs
    train: Runs
    inference_feeds: Mapping[str, NDArray[Any]]
    train_feeds: Tensors
    answers: Mapping[str, NDArray[Any]]
    shapes: Mapping[str, tuple[int, ...]]
    masked: Sequence[_Masked]
    beside: Sequence[str]


def find_tiling(trial: Trial, candidates: Iterable[Axes]) -> Tiling | None:
    """Return the first candidate under which copies of the input do not meet, None when there is none.

    Accepted are input axes that (1) lengthen exactly one axis of every output and probe, (2) leave each copy's
    inference output as it is alone, and (3) give each copy masks of its own.
    """
    for input_axes in candidates:
        try:
            tiling = _try(trial, input_axes)
        except ExecutionFailed:
            continue
        if tiling is not None:
            return tiling
    return None


def _try(trial: Trial, input_axes: Axes) -> Tiling | None:
    together = trial.train.run(tiled(trial.train_feeds, input_axes, COPIES), (*trial.shapes, *trial.beside))
    axes = {name: lengthened(shape, together[name].shape, COPIES) for name, shape in trial.shapes.items()}
    output_axes = {name: axis for name, axis in axes.items() if axis is not None}
    if len(output_axes) < len(axes) or not _inference_unchanged(trial, input_axes, output_axes):
        return None
    if not _masks_differ(trial, input_axes, output_axes, together):
        return None
    return Tiling(input_axes, output_axes, {name: together[name].shape for name in trial.beside})


def lengthened(alone: tuple[int, ...], together: tuple[int, ...], copies: int) -> int | None:
    """Return the one axis that is `copies` times as long in the second shape; None where it is not one."""
    if len(alone) != len(together):
        return None
    changed = [axis for axis, (a, b) in enumerate(zip(alone, together, strict=True)) if a != b]
    return changed[0] if len(changed) == 1 and together[changed[0]] == copies * alone[changed[0]] else None


def _inference_unchanged(trial: Trial, input_axes: Axes, output_axes: Axes) -> bool:
    together = trial.inference.run(tiled(trial.inference_feeds, input_axes, COPIES), tuple(trial.answers))
    for name, alone in trial.answers.items():
        if lengthened(alone.shape, together[name].shape, COPIES) != output_axes[name]:
            return False
        if not agree(alone[None], split(together[name], output_axes[name], COPIES), _AGREEMENT):
            return False
    return True


def _masks_differ(trial: Trial, input_axes: Axes, output_axes: Axes, found: Mapping[str, NDArray[Any]]) -> bool:
    """Whether the copies are seen to have masks of their own at every site.

    A mask that is shared by the copies may by chance have dropped nothing in one run: only a difference proves
    anything. Where none shows in a few runs, `found` being the first, copies are taken to share it.
    """
    names = tuple(dict.fromkeys(name for before, after, _ in trial.masked for name in (before, after)))
    copies = {name: split(found[name], output_axes[name], COPIES) for name in names}
    open_sites, more = _alike(trial.masked, copies), Tile(trial.train_feeds, input_axes, output_axes, {}, trial.shapes)
    for _ in range(_MORE_TRIALS):
        if not open_sites:
            break
        again = trial.train.run(more.repeated(_MORE_COPIES), names)
        open_sites = _alike(open_sites, more.split(again, names, _MORE_COPIES))
    return not open_sites


def _alike(sites: Iterable[_Masked], copies: Mapping[str, NDArray[Any]]) -> list[_Masked]:
    """Return the sites whose masks are not seen to differ between copies, which lie along the first axis."""
    return [site for site in sites if not _differ(copies[site[0]], copies[site[1]], site[2])]


def _differ(before: NDArray[Any], after: NDArray[Any], dropped: float | None) -> bool:
    """Whether masks differ between copies, along the first axis; `dropped` is None for a continuous draw."""
    before = aligned(before, after)
    cells = mask_cells(before, after, 0.0 if dropped is None else dropped)
    if dropped is None:
        factors = np.where(cells.kept, after / np.where(cells.kept, before, 1), 0)
        return not np.allclose(factors, factors[:1], rtol=_AGREEMENT)
    # Behind other masks a cell may tell in one copy alone, and says nothing about this mask.
    return bool(np.any((cells.kept != cells.kept[:1]) & cells.informative.all(axis=0)))
