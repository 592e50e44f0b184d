"""Laws read off the values that elements take over many draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A line that goes through so few elements would go through any.
_FEWEST = 3
# Of the elements that can be dropped, nearly all are seen kept as well.
_SEEN_KEPT = 0.7
# Least part of the elements that is dropped, or kept, at all.
_LEAST = 1e-9
# A share of 64 draws, one from each part of the range, is known to about this much, for most elements.
_NEAR_SHARE, _MOST_ELEMENTS = 0.15, 0.9
# Shares that differ by less than this may be of one rate.
_APART = 0.15
_DRAWS_APART = 4


@dataclass(frozen=True, slots=True)
class Dropped:
    """The law of dropped data: slope * x + shift when kept, `fill` when not.

    Attributes:
        slope: None where each element has a factor of its own, which its own share of kept draws asks for.
        kept: share of the elements that are kept.
        by_rate: whether those shares differ, so that the factors can be nothing else.
    """

    slope: float | None
    shift: float
    fill: float
    kept: float
    by_rate: bool = False


def is_two_valued(values: NDArray[Any]) -> bool:
    """Whether all elements take two values between them, as those of a mask do; shape (draws, elements)."""
    return len(distinct(values)) == 2


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return up to three different values of an array, in their order; zeros of either sign are one, and all NaN."""
    flat = np.ravel(values)
    found, others = _in_order(_unsigned(flat[:64])), flat[64:]
    if len(found) > 2:
        return found[:3]
    for known in found:
        others = others[others != known]
    return _in_order(np.concatenate([found, _unsigned(others)]))[:3]


def _unsigned(values: NDArray[Any]) -> NDArray[Any]:
    return values + values.dtype.type(0) if values.dtype.kind == "f" else values


def _in_order(values: NDArray[Any]) -> NDArray[Any]:
    """Return the different values, the smallest first. For that alone np.unique would import numpy.ma, 10 ms."""
    ordered = np.sort(values)
    before, after = ordered[:-1], ordered[1:]
    # NaN come last, and are not equal to themselves.
    is_new = (after != before) & (before == before)
    return np.concatenate([ordered[:1], after[is_new]])


def fit_dropped(values: NDArray[Any], source: NDArray[Any], precision: float) -> Dropped | None:
    """Return the law of a mask on data, None where there is none.

    Every kept element must be the same line through its source, to `precision`; every other the same constant.

    Args:
        values: what comes out, shape (draws, elements).
        source: what goes in, shape (draws, elements) or (1, elements).
        precision: relative.
    """
    u, x = (np.asarray(each, dtype=np.float64) for each in np.broadcast_arrays(values, source))
    if x.size == 0:
        return None
    size = np.abs(x)
    informative: NDArray[np.bool_] = (
        np.isfinite(x) & np.isfinite(u) & (size > 1e-6 * max(float(np.median(size)), 1e-30))
    )
    if not informative.any():
        return None
    for fill in _fills(u[informative]):
        dropped: NDArray[np.bool_] = np.asarray(np.abs(u - fill) <= precision * abs(fill))
        kept = informative & ~dropped
        share = float(kept.sum() / informative.sum())
        if not _LEAST < share < 1 - _LEAST or _mostly_never_kept(informative, kept):
            continue
        found = _line(u, x, kept, fill, share, precision)
        if found is not None and not _all_on_line(u, x, informative & dropped, found, precision):
            return found
    return None


def fit_factor(values: NDArray[Any], source: NDArray[Any], precision: float) -> float | None:
    """Return the one factor between two arrays, None where there is none or the source is zero."""
    u, x = (np.asarray(each, dtype=np.float64) for each in np.broadcast_arrays(values, source))
    informative = np.isfinite(u) & (np.abs(x) > 1e-30)
    if informative.any() and not u[informative].any():
        return 0.0
    return _constant(u[informative] / x[informative], precision) if informative.any() else None


def _all_on_line(
    u: NDArray[np.float64], x: NDArray[np.float64], dropped: NDArray[np.bool_], law: Dropped, precision: float
) -> bool:
    """Whether the apparent fill lies on the line through the kept values anyway."""
    if law.slope is None:
        return False
    line = law.slope * x[dropped] + law.shift
    return bool(np.all(np.abs(u[dropped] - line) <= precision * np.abs(line)))


def _fills(values: NDArray[np.float64]) -> list[float]:
    found, counts = np.unique(values, return_counts=True)
    most = float(found[np.argmax(counts)])
    return [0.0] if most == 0 or counts.max() < 2 else [0.0, most]


def _mostly_never_kept(informative: NDArray[np.bool_], kept: NDArray[np.bool_]) -> bool:
    """Whether data, and no draw, decides what is kept: padding behind a mask keeps some elements never."""
    seen, ever = (np.asarray(each.any(axis=0)) for each in (informative, kept))
    return len(informative) > 1 and float(ever[seen].mean()) < _SEEN_KEPT


def _line(
    u: NDArray[np.float64], x: NDArray[np.float64], kept: NDArray[np.bool_], fill: float, share: float, precision: float
) -> Dropped | None:
    ratios = u[kept] / x[kept]
    factor = _constant(ratios, precision)
    if factor is not None:
        return Dropped(factor, 0.0, fill, share)
    if fill == 0:
        by_rate = _by_rate(u, x, kept) if _constant_by_element(u, x, kept, precision) else None
        return None if by_rate is None else Dropped(None, 0.0, fill, share, by_rate)
    slope, shift = np.polyfit(x[kept], u[kept], 1) if len(distinct(x[kept])) >= _FEWEST else (0.0, 0.0)
    off = np.abs(u[kept] - slope * x[kept] - shift)
    close = slope != 0 and float(off.max()) <= 20 * precision * float(np.abs(u[kept]).max())
    return Dropped(float(slope), float(shift), fill, share) if close else None


def _constant(ratios: NDArray[np.float64], precision: float) -> float | None:
    middle = float(np.median(ratios))
    return middle if middle and bool(np.all(np.abs(ratios - middle) <= precision * abs(middle))) else None


def _by_rate(u: NDArray[np.float64], x: NDArray[np.float64], kept: NDArray[np.bool_]) -> bool | None:
    """Say whether elements have rates of their own; None where their factors are gains of the model.

    The factor of each must be one over its own share. Where shares differ from element to element, one over its square
    or over its complement is a mistake of the dropout, and no gain.
    """
    seen = kept.any(axis=0)
    shares = kept.sum(axis=0)[seen] / (x != 0).sum(axis=0)[seen]
    with np.errstate(all="ignore"):
        factors = np.where(kept, u / x, 0).sum(axis=0)[seen] / kept.sum(axis=0)[seen]
        wrong = (factors * shares**2, factors * (1 - shares))
    differ = float(np.ptp(shares)) > max(_APART, _DRAWS_APART / len(kept))
    if _mostly_one(factors * shares, _NEAR_SHARE):
        return differ
    return True if differ and any(_mostly_one(each, 2 * _NEAR_SHARE) for each in wrong) else None


def _mostly_one(numbers: NDArray[np.float64], near: float) -> bool:
    return bool(np.mean(np.abs(numbers - 1) < near) > _MOST_ELEMENTS)


def _constant_by_element(
    u: NDArray[np.float64], x: NDArray[np.float64], kept: NDArray[np.bool_], precision: float
) -> bool:
    """Whether each element has one factor of its own, in several draws each."""
    often = kept.sum(axis=0) > 1
    if not often.any():
        return False
    with np.errstate(all="ignore"):
        ratios = np.where(kept, u / x, np.nan)[:, often]
    low, high = np.nanmin(ratios, axis=0), np.nanmax(ratios, axis=0)
    return bool(np.all(high - low <= precision * np.maximum(np.abs(low), np.abs(high))))
