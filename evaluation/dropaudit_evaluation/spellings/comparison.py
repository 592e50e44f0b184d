"""Compares measurements with intentions. A difference is a bug in the generator, or in the interpreter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from dropaudit_evaluation.spellings.errors import Contradiction
from dropaudit_evaluation.spellings.intention import SCALED, Extent, Law
from dropaudit_evaluation.spellings.network.others import FILL, UNKNOWN
from dropaudit_evaluation.spellings.rates import hypotheses
from dropaudit_evaluation.spellings.truth import SiteTruth

# Draws in float16 and steps of a table of constants move a rate by less than this.
_RATE_ERROR, _DEVIATIONS = 0.003, 5.5
_PRECISION = {np.dtype(np.float16): 5e-3}
_ORDINARY = 3e-5
# What rounds q to float16 counts twice in its square.
_ERRORS_OF_RATE = {Law.DOUBLED: 2}
# Neighbouring cells of a pooled mask share up to this many draws.
_SHARED_DRAWS = 9


def law_of(truth: SiteTruth) -> Law:
    """Name the law that a site was seen to follow, and check everything else that was meant of it.

    Raises:
        Contradiction: something else was meant.
    """
    if truth.site.law in _OTHERS:
        if not _OTHERS[truth.site.law](truth):
            raise Contradiction(f"{truth.site.result} is no {truth.site.law}")
        return truth.site.law
    law = _mask_law(truth)
    if law is not truth.site.law:
        raise Contradiction(f"{truth.site.result} is {law}, and was meant to be {truth.site.law}")
    if law in SCALED:
        _check_rate(truth)
        _check_extent(truth)
    return law


def _mask_law(truth: SiteTruth) -> Law:
    if truth.never_drops:
        return Law.INERT if _is_all(truth, 1.0) else Law.INERT_SCALED
    if truth.never_changes:
        return Law.FROZEN
    if isinstance(truth.site.keep_prob, np.ndarray):
        return _law_by_feature(truth)
    law = _named(truth, hypotheses(float(truth.site.keep_prob)))
    if law is Law.WRONG and not _is_all(truth, float(np.nanmedian(truth.ratio))):
        raise Contradiction(f"{truth.site.result} has no constant factor")
    return law


def _law_by_feature(truth: SiteTruth) -> Law:
    q = np.asarray(truth.site.keep_prob)
    named = {Law.RIGHT: 1 / q, Law.MISSING: np.ones_like(q), Law.DOUBLED: 1 / q**2, Law.SWAPPED: 1 / (1 - q)}
    return _named(truth, named)


def _named(truth: SiteTruth, factors: Mapping[Law, object]) -> Law:
    """Return the first law whose factor all kept elements have."""
    fitting = (law for law, factor in factors.items() if _is_all(truth, factor, _ERRORS_OF_RATE.get(law, 1)))
    return next(fitting, Law.WRONG)


def _is_all(truth: SiteTruth, factor: object, errors: int = 1) -> bool:
    """Whether every kept element was multiplied by a factor, or by each feature's, that holds so many errors of q."""
    precision = errors * _PRECISION.get(truth.result.dtype, _ORDINARY)
    # Numbers too small for float16 lose their digits.
    clear = truth.kept & (np.abs(truth.data) > 1e-2)
    away = np.abs(truth.ratio / np.asarray(factor, np.float64) - 1)
    return not np.any(clear & (away > precision))


def _check_rate(truth: SiteTruth) -> None:
    q = np.asarray(truth.site.keep_prob, np.float64)
    others = (*range(truth.kept.ndim - 1),)
    seen = np.maximum(truth.seen.sum(axis=others), 1)
    measured = np.where(truth.seen.any(axis=others), truth.kept.sum(axis=others) / seen, q)
    measured = measured if q.ndim else np.asarray(truth.keep_rate)
    cells = _independent_cells(truth) / (q.size if q.ndim else 1) / _SHARED_DRAWS
    # Behind other masks a feature may have been seen less often than others.
    drawn = np.minimum(cells, seen / _SHARED_DRAWS) if q.ndim else np.asarray(cells)
    allowed = _DEVIATIONS * np.sqrt(q * (1 - q) / np.maximum(drawn, 1)) + _RATE_ERROR
    if np.any(np.abs(measured - q) > allowed):
        raise Contradiction(f"{truth.site.result} keeps {measured}, and was meant to keep {q}")


def _independent_cells(truth: SiteTruth) -> float:
    shape = truth.kept.shape
    batch, features = shape[2], shape[-1]
    times = math.prod(shape[3:-1])
    whole = shape[0] * shape[1]
    return float(
        whole
        * {
            Extent.ELEMENT: batch * times * features,
            Extent.BATCH: times * features,
            Extent.TIME: batch * features,
            Extent.SAMPLE: batch,
            Extent.TOKEN: batch * times,
            Extent.WHOLE: 1,
        }[truth.site.extent]
    )


def _check_extent(truth: SiteTruth) -> None:
    shared = {
        Extent.ELEMENT: (),
        Extent.BATCH: (0,),
        Extent.TIME: (1,),
        Extent.SAMPLE: (*range(1, truth.kept.ndim - 2),),
        Extent.TOKEN: (truth.kept.ndim - 3,),
        Extent.WHOLE: (*range(truth.kept.ndim - 2),),
    }[truth.site.extent]
    for axis in range(truth.kept.ndim - 2):
        if truth.kept.shape[axis + 2] > 1 and truth.agrees_along(axis) != (axis in shared):
            raise Contradiction(f"{truth.site.result} is not {truth.site.extent}: see axis {axis}")


def _is_noise(truth: SiteTruth) -> bool:
    added = (truth.result - truth.data).astype(np.float64)
    return bool(added.std(axis=0).min() > 0 and abs(added.mean()) < 6 * added.std() / math.sqrt(added.size))


def _is_gaussian(truth: SiteTruth) -> bool:
    q = float(truth.site.keep_prob)
    spread = float(np.nanstd(truth.ratio))
    return abs(float(np.nanmean(truth.ratio)) - 1) < 0.05 * spread and abs(spread / math.sqrt((1 - q) / q) - 1) < 0.05


def _chooses(truth: SiteTruth) -> bool:
    """Whether a share 1 - q of the elements stays as it was."""
    same = float((truth.result == truth.data).mean())
    return abs(same - (1 - float(truth.site.keep_prob))) < 0.03


def _fills(truth: SiteTruth, value: float) -> bool:
    changed = truth.result != truth.data
    return bool(np.all(truth.result[changed] == value)) and abs(changed.mean() - 1 + float(truth.site.keep_prob)) < 0.03


def _leaves_out(truth: SiteTruth) -> bool:
    """Whether whole replicates stay as they were."""
    same = np.all(truth.result == truth.data, axis=(*range(1, truth.result.ndim),))
    q = float(truth.site.keep_prob)
    return abs(float(same.mean()) - (1 - q)) < 6 * math.sqrt(q * (1 - q) / same.size)


_OTHERS: Mapping[Law, Callable[[SiteTruth], bool]] = {
    Law.OFF: lambda truth: bool(np.all(truth.result == truth.data)),
    Law.NOISE: _is_noise,
    Law.GAUSSIAN: _is_gaussian,
    Law.ZONEOUT: _chooses,
    Law.BRANCH: _leaves_out,
    Law.FILL: lambda truth: _fills(truth, FILL),
    Law.WORDS: lambda truth: _fills(truth, UNKNOWN),
}
