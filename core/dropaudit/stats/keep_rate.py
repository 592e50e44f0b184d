"""Confidence sequence for a keep probability."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_PRIOR = 0.5
# Cells that an expectation weighs: its prior is about 0.005 wide.
_NEAR = 10_000.0
# Enough halvings to exhaust double precision between 0 and 1.
_HALVINGS = 100


@dataclass(frozen=True, slots=True)
class RateInterval:
    """Keep probabilities that the counts do not refute; `estimate` is the kept share."""

    estimate: float
    lower: float
    upper: float


@lru_cache(maxsize=256)
def keep_rate_interval(kept: float, cells: float, alpha: float, expected: float | None = None) -> RateInterval:
    """Exact anytime-valid confidence sequence for the keep probability of independent mask cells.

    With a Beta(1/2, 1/2) mixture, the sequence of sets

        { q0 : log B(a+k, b+n-k) - log B(a, b) - k log q0 - (n-k) log(1-q0) < log(1/alpha) }

    contains the true q at all n at once with probability at least 1 - alpha (Robbins, Ann. Math. Statist. 41,
    1970: Ville's inequality for the mixture likelihood ratio). Any mixture that is fixed beforehand will do: where a
    probability is expected, half of the weight lies on Beta(m q, m (1-q)) around it, whose width is that of the
    equivalence margin. Tens of thousands of cells then say a fifth more.

    Args:
        kept: k, cells kept so far; of cells that are not independent, divided by their design effect.
        cells: n, cells drawn so far, likewise.
        alpha: chance that the true probability is ever outside, in (0, 1).
        expected: the probability to expect, known before the first cell; None where none is.

    Raises:
        ValueError: counts that no experiment can give, or alpha outside (0, 1).
    """
    if not 0 <= kept <= cells or not 0 < alpha < 1:
        raise ValueError(f"need 0 <= kept <= cells and 0 < alpha < 1, got {kept}, {cells}, {alpha}")
    if cells == 0:
        return RateInterval(estimate=0.5, lower=0.0, upper=1.0)
    dropped = cells - kept
    evidence = _log_mixture(kept, dropped, expected) + math.log(alpha)

    def is_refuted(rate: float) -> bool:
        return evidence >= _log_power(kept, rate) + _log_power(dropped, 1 - rate)

    share = kept / cells
    return RateInterval(
        estimate=share,
        lower=_edge(is_refuted, share, 0.0),
        upper=_edge(is_refuted, share, 1.0),
    )


def _log_mixture(kept: float, dropped: float, expected: float | None) -> float:
    wide = _log_marginal(kept, dropped, _PRIOR, _PRIOR)
    if expected is None or not 0 < expected < 1:
        return wide
    near = _log_marginal(kept, dropped, _NEAR * expected, _NEAR * (1 - expected))
    return max(wide, near) + math.log1p(math.exp(-abs(wide - near))) - math.log(2)


def _log_marginal(kept: float, dropped: float, a: float, b: float) -> float:
    return _log_beta(a + kept, b + dropped) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _log_power(exponent: float, base: float) -> float:
    """Return exponent * log(base), with 0 * log(0) = 0."""
    if exponent == 0:
        return 0.0
    return exponent * math.log(base) if base > 0 else -math.inf


def _edge(is_refuted: Callable[[float], bool], inside: float, outside: float) -> float:
    """Bisect for the last rate that is not refuted on the way from `inside` to `outside`.

    The likelihood falls on both sides of the kept share, so there is one such rate. scipy's root finders would do,
    but importing them costs more than a whole audit of recorded arrays.
    """
    if not is_refuted(outside):
        return outside
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        inside, outside = (inside, middle) if is_refuted(middle) else (middle, outside)
    return inside
