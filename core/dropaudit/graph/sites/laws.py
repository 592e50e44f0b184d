"""The laws of dropout: which lines through x are right, and which are known mistakes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dropaudit.graph.site import Law

# One number, or one for each element of a tensor.
Numbers = float | NDArray[np.float64]

# The coarsest precision at which factors are still told apart.
_COARSEST = 0.03

# alpha' = -lambda * alpha of the SELU, its value at minus infinity (Klambauer et al. 2017, "Self-normalizing neural
# networks").
ALPHA_PRIME = -1.0507009873554805 * 1.6732632423543772


def alpha_law(keep_prob: float) -> Law:
    """Return alpha dropout: a (x m + alpha' (1 - m)) + b keeps mean 0 and variance 1 (Klambauer et al. 2017, eq. 7).

    a = (q + alpha'^2 q (1 - q))^(-1/2),   b = -a (1 - q) alpha'
    """
    drop = 1 - keep_prob
    slope = (keep_prob + ALPHA_PRIME**2 * keep_prob * drop) ** -0.5
    shift = -slope * drop * ALPHA_PRIME
    return Law(slope=slope, shift=shift, dropped=slope * ALPHA_PRIME + shift)


def inverted_law(keep_prob: float) -> Law:
    """Return inverted dropout: x / q when kept, 0 when not."""
    return Law(slope=1 / keep_prob)


def agrees(law: Law, other: Law, precision: float) -> bool:
    """Whether two laws are the same within a relative precision."""
    pairs = ((law.slope, other.slope), (law.shift, other.shift), (law.dropped, other.dropped))
    return all(math.isclose(a, b, rel_tol=precision, abs_tol=precision) for a, b in pairs)


def is_right(law: Law, keep_prob: float, precision: float) -> bool:
    """Whether a law is inverted or alpha dropout at this keep probability."""
    return any(agrees(law, right(keep_prob), precision) for right in (inverted_law, alpha_law))


def is_own_factor(factor: Numbers, keep_prob: Numbers, precision: float, error: float = 0.0) -> bool:
    """Whether a constant factor beside a mask is 1/q, 1/q^2, q, 1/p or p, which few ordinary factors of a model are.

    Args:
        factor: the factor.
        keep_prob: q.
        precision: relative, of the factor.
        error: of q, where that was measured.
    """
    drop = 1 - keep_prob
    kept, dropped = (_within(precision, error, rate) for rate in (keep_prob, drop))
    with np.errstate(divide="ignore"):  # an element that is always kept, or never, asks for nothing
        over_q, over_p = 1 / keep_prob, 1 / drop
        # An error of q counts twice in its square.
        squared = (keep_prob**-2, 2 * kept)
    known = ((over_q, kept), (keep_prob, kept), (over_p, dropped), (drop, dropped), squared)
    return any(are_close(factor, own, near) for own, near in known)


def is_inverse(factor: Numbers, keep_prob: Numbers, precision: float, error: float = 0.0) -> bool:
    """Whether a factor is 1/q; see `is_own_factor`."""
    return are_close(factor * keep_prob, 1.0, _within(precision, error, keep_prob))


def _within(precision: float, error: float, rate: Numbers) -> float:
    """Return the relative precision that a rate, and one over it, is known to."""
    rates = np.asarray(rate, dtype=np.float64)
    return max(precision, min(error / float(np.min(rates[rates > 0], initial=1.0)), _COARSEST))


def are_close(one: Numbers, other: Numbers, precision: float) -> bool:
    """Whether two numbers are the same within a relative precision, or all those of two arrays that are known."""
    away = np.abs(np.asarray(one) - other)
    return not np.any(away > precision * np.maximum(np.abs(one), np.abs(other)))


def holds_folded_scale(factor: float, keep_prob: float) -> bool:
    """Whether a factor beside an unscaled mask is an ordinary one that an exporter multiplied by 1/q.

    Factors that people write are round, or roots of small integers: 4.2857 at q = 0.7 is 3 / 0.7. Where both readings
    are equally round, the plain one holds.
    """
    return _digits(factor * keep_prob) < _digits(factor)


_MOST_DIGITS = 5
_LARGEST_SQUARE = 4096


def _digits(factor: float) -> int:
    """Return how many significant digits a factor needs; a root of an integer counts as two."""
    if not math.isfinite(factor) or factor == 0:
        return _MOST_DIGITS
    exponent = math.floor(math.log10(abs(factor)))
    for digits in range(1, _MOST_DIGITS):
        if math.isclose(factor, round(factor, digits - 1 - exponent), rel_tol=1e-6):
            return digits if digits < 2 or not _is_root(factor) else 2
    return 2 if _is_root(factor) else _MOST_DIGITS


def _is_root(factor: float) -> bool:
    square = factor * factor
    return 1 < square <= _LARGEST_SQUARE and math.isclose(square, round(square), rel_tol=1e-6)


def is_like_scale(factor: float, keep_prob: float) -> bool:
    """Whether a factor beside an unscaled mask may be meant as its scale: above 1, and not far from 1/q."""
    return factor > 1 and 0.5 <= factor * keep_prob <= 2.0
