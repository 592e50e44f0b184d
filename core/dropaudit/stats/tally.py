"""Summaries of a chunk of replicates: counts, extremes, projections, sums; the elements are not kept.

Written for chunks that fit a processor's cache: each line is one pass of numpy over the chunk, in the precision that
the tensors have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropaudit.stats.products import inner
from dropaudit.stats.ratios import SAMPLE, ratios, smallest_input

# Elements of a row from which on it pays to look for extremes column by column.
_WIDE = 64


@dataclass(frozen=True, slots=True)
class MaskTally:
    """Kept elements of a masked tensor.

    Attributes:
        kept: mask cells that are kept.
        cells: mask cells that tell kept from dropped.
        lowest: smallest factor on kept elements; infinite where nothing was kept.
        highest: largest factor; minus infinity where nothing was kept.
        first: factors of the first kept elements, shape (k,), k at most 16,384; empty where they are not wanted.
    """

    kept: int
    cells: int
    lowest: float
    highest: float
    first: NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class OutputTally:
    """Replicates of an output against its reference.

    Attributes:
        projections: <y_t, y_ref> of each replicate, shape (n,).
        products: y_t * y_ref summed over replicates and over all but the middle of three axes, shape (Q,).
        zeros: elements that are zero here and not in the reference.
        lowest: smallest y / y_ref of elements that are not zero.
        highest: largest of these.
        first: y / y_ref of the first elements, zeros included, shape (k,), k at most 16,384.
        non_finite: elements that are NaN or infinite; where there are any, nothing else is counted.
    """

    projections: NDArray[np.float64]
    products: NDArray[np.float64]
    zeros: int
    lowest: float
    highest: float
    first: NDArray[np.floating]
    non_finite: int


@dataclass(frozen=True, slots=True)
class _Nonzero:
    """Elements that are not zero: how many, their extremes; and the first elements of all."""

    count: int
    lowest: float
    highest: float
    first: NDArray[np.floating]


def tally_mask(
    before: NDArray[Any],
    after: NDArray[Any],
    shared_axes: tuple[int, ...] = (),
    *,
    shift: float = 0.0,
    dropped: float = 0.0,
    sampled: bool = True,
) -> MaskTally:
    """Count what a mask keeps and find the extremes of its factor; see `ratios` for the arguments.

    `sampled` says whether single factors are wanted as well.

    The plain mask, which sets what it drops to zero and shares no cells, has a way of its own. It agrees with
    `ratios` but for the rounding of the factor, which is computed in the precision of the tensors.
    """
    if not (shared_axes or shift or dropped) and before.shape == after.shape and after.size:
        plain = _tally_plain(before, after, sampled=sampled)
        if plain is not None:
            return plain
    found = ratios(before, after, shared_axes, shift=shift, dropped=dropped)
    values = found.values
    lowest, highest = (float(values.min()), float(values.max())) if values.size else (np.inf, -np.inf)
    return MaskTally(found.kept, found.cells, lowest, highest, values[: SAMPLE if sampled else 0])


def _tally_plain(before: NDArray[Any], after: NDArray[Any], *, sampled: bool) -> MaskTally | None:
    """Tally a plain mask; None where an element is not finite, or a factor is not positive."""
    limit = smallest_input(before.dtype)
    before, after = computed(before), computed(after)
    # What is the same in all replicates comes with a stride of zero, and is looked at once.
    one = before[:1] if before.strides[0] == 0 else before
    informative = np.abs(one) > limit
    cells = int(np.count_nonzero(informative)) * (len(before) // len(one))
    if len(one) == 1 and one.size >= _WIDE:
        columns = _tally_columns(one, informative, after, sampled=sampled)
        if columns is not None:
            return replace(columns, cells=cells)
    if cells < before.size:
        # Over infinity everything finite is zero: it counts as dropped, and tells nothing.
        before = np.where(informative, one, np.asarray(np.inf, dtype=one.dtype))
    with np.errstate(all="ignore"):
        found = _nonzero(after / before)
    if found.count and not (found.lowest > 0 and found.highest < np.inf):
        return None
    first = found.first[found.first != 0] if sampled else found.first[:0]
    return MaskTally(found.count, cells, found.lowest, found.highest, first)


def _tally_columns(
    before: NDArray[Any], informative: NDArray[np.bool_], after: NDArray[Any], *, sampled: bool
) -> MaskTally | None:
    """Tally a plain mask on one input, where an element is kept as one value in all replicates; `cells` is left out.

    None where it is not so, and where a factor is not positive and finite. This is a plain mask all over again, with
    half the passes: extremes of a column instead of ratios of its elements.

    Args:
        before: the input, shape (1, …).
        informative: which of its elements tell kept from dropped.
        after: replicates, shape (n, …).
    """
    value = np.where(before > 0, after.max(axis=0), after.min(axis=0))
    # Of what is never kept, and of what tells nothing, no value is equal to this.
    value[~informative | (value == 0)] = np.nan
    kept = int(np.count_nonzero(after == value))
    if kept != int(np.count_nonzero(after != 0)):
        return None
    with np.errstate(all="ignore"):
        factors = value / before
    found = factors[~np.isnan(factors)]
    lowest, highest = float(found.min(initial=np.inf)), float(found.max(initial=-np.inf))
    if found.size and not (lowest > 0 and highest < np.inf):
        return None
    rows = min(len(after), -(-SAMPLE // before.size)) if sampled else 0
    first = np.broadcast_to(factors, (rows, *factors.shape[1:]))[after[:rows] == value][:SAMPLE]
    return MaskTally(kept, 0, lowest, highest, first)


def tally_output(
    values: NDArray[Any],
    weights: NDArray[np.floating],
    divisor: NDArray[np.floating],
    fold: tuple[int, int, int],
    *,
    pictured: int,
) -> OutputTally:
    """Project replicates of an output on its reference, as a whole and by step, and find the extremes of y / y_ref.

    Args:
        values: replicates, shape (n, elements).
        weights: y_ref, or a multiple of it, shape (elements,).
        divisor: y_ref, infinite where it is too near zero for a ratio.
        fold: P, Q, R with P * Q * R elements, so that Q counts the steps.
        pictured: of how many replicates, the first ones, ratios of single elements are wanted; extremes and first
            elements are theirs.
    """
    flat = computed(values)
    with np.errstate(over="ignore", invalid="ignore"):
        projections = inner(flat, weights)
        products = (flat.sum(axis=0).astype(np.float64) * weights).reshape(fold).sum(axis=(0, 2))
    if not (np.isfinite(projections).all() and np.isfinite(products).all()):
        non_finite = int(np.count_nonzero(~np.isfinite(flat)))
        if non_finite == 0 and flat.dtype != np.float64:
            # Large values, under which single precision overflows.
            return tally_output(flat.astype(np.float64), weights, divisor, fold, pictured=pictured)
        return OutputTally(projections, np.empty(0), 0, np.inf, -np.inf, np.empty(0), non_finite)
    informative = np.isfinite(divisor)
    seen = flat[:pictured]
    zeros = _zeros(flat[pictured:], divisor, informative)
    if not len(seen):
        return OutputTally(projections, products, zeros, np.inf, -np.inf, np.empty(0), 0)
    with np.errstate(all="ignore"):
        found = _nonzero(seen / divisor)
    if np.isinf([found.lowest, found.highest]).any() and found.count:
        # A reference near zero, under which single precision overflows.
        seen = seen.astype(np.float64)
        found = _nonzero(seen / divisor)
    zeros += len(seen) * int(np.count_nonzero(informative)) - found.count
    first = found.first
    if not (informative.all() and seen.flags.c_contiguous):
        rows = -(-SAMPLE // max(1, seen.shape[1]))
        first = (seen[:rows, informative] / divisor[informative]).ravel()[:SAMPLE]
    return OutputTally(projections, products, zeros, found.lowest, found.highest, first, 0)


def _zeros(flat: NDArray[np.floating], divisor: NDArray[np.floating], informative: NDArray[np.bool_]) -> int:
    """Count the zeros among elements whose reference is not zero."""
    if informative.all():
        return flat.size - int(np.count_nonzero(flat != 0))
    return len(flat) * int(np.count_nonzero(informative)) - int(np.count_nonzero(flat / divisor))


def computed(values: NDArray[Any]) -> NDArray[np.floating]:
    """Return an array in a type that numpy computes fast in: half precision in single, others as they are."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _nonzero(factors: NDArray[np.floating]) -> _Nonzero:
    """Look at the elements that are not zero; the array is used up."""
    count = int(np.count_nonzero(factors != 0))
    first = factors.ravel(order="K")[:SAMPLE].copy()
    lowest, highest = float(factors.min(initial=np.inf)), float(factors.max(initial=-np.inf))
    if count == factors.size:
        return _Nonzero(count, lowest, highest, first)
    if highest == 0:
        highest = float(np.max(factors, where=factors != 0, initial=-np.inf))
    if lowest == 0:
        lowest = _smallest_positive(factors) if count else np.inf
    return _Nonzero(count, lowest, highest, first)


def _smallest_positive(factors: NDArray[np.floating]) -> float:
    """Return the smallest element above zero where none is below, without a branch for each; the array is used up.

    The bits of positive floating-point numbers are ordered as the numbers are. Less one, zero becomes the largest of
    all, and minus zero larger than any number without a sign.
    """
    bits = factors.view(np.dtype(f"u{factors.itemsize}"))
    np.subtract(bits, 1, out=bits)
    smallest = np.array([int(bits.min()) + 1], dtype=bits.dtype)
    return float(smallest.view(factors.dtype)[0])


def mask_of_counts(counts: Mapping[str, NDArray[Any]]) -> MaskTally | None:
    """Return the tally of what a device counted: `kept`, `cells`, `strange`, `lowest`, `highest` of each replicate.

    None where anything is strange, as what is not finite: then the elements themselves must tell.
    """
    if counts["strange"].any():
        return None
    kept, cells = int(counts["kept"].sum()), int(counts["cells"].sum())
    return MaskTally(kept, cells, float(counts["lowest"].min()), float(counts["highest"].max()), np.empty(0))


def output_of_counts(counts: Mapping[str, NDArray[Any]]) -> OutputTally | None:
    """Return the tally of what a device counted: `projections` and `zeros` of each replicate, and `products`.

    None where an element is not finite.
    """
    projections, products = (counts[name].astype(np.float64) for name in ("projections", "products"))
    if not (np.isfinite(projections).all() and np.isfinite(products).all()):
        return None
    return OutputTally(projections, products, int(counts["zeros"].sum()), np.inf, -np.inf, np.empty(0), 0)
