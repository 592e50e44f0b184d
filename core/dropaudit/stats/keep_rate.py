"""Confidence sequence for a keep probability."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

_PRIOR = 0.5
_EDGE = 1e-15


@dataclass(frozen=True, slots=True)
class RateInterval:
    """Keep probabilities that the counts do not refute; `estimate` is the kept share."""

    estimate: float
    lower: float
    upper: float


def keep_rate_interval(kept: int, cells: int, alpha: float) -> RateInterval:
    """Exact anytime-valid confidence sequence for the keep probability of independent mask cells.

    With a Beta(1/2, 1/2) mixture, the sequence of sets

        { q0 : log B(a+k, b+n-k) - log B(a, b) - k log q0 - (n-k) log(1-q0) < log(1/alpha) }

    contains the true q at all n at once with probability at least 1 - alpha (Robbins, Ann. Math. Statist. 41,
    1970: Ville's inequality for the mixture likelihood ratio).

    Args:
        kept: k, cells kept so far.
        cells: n, cells drawn so far.
        alpha: chance that the true probability is ever outside, in (0, 1).

    Raises:
        ValueError: counts that no experiment can give, or alpha outside (0, 1).
    """
    if not 0 <= kept <= cells or not 0 < alpha < 1:
        raise ValueError(f"need 0 <= kept <= cells and 0 < alpha < 1, got {kept}, {cells}, {alpha}")
    if cells == 0:
        return RateInterval(estimate=0.5, lower=0.0, upper=1.0)
    dropped = cells - kept
    evidence = float(betaln(_PRIOR + kept, _PRIOR + dropped) - betaln(_PRIOR, _PRIOR)) + math.log(alpha)

    def excess(rate: float) -> float:
        return evidence - float(xlogy(kept, rate) + xlog1py(dropped, -rate))

    share = kept / cells
    # Next to 0 and 1 the excess may keep one sign up to the edge: then nothing is refuted on that side.
    lower = brentq(excess, _EDGE, share) if kept and excess(_EDGE) > 0 else 0.0
    upper = brentq(excess, share, 1 - _EDGE) if dropped and excess(1 - _EDGE) > 0 else 1.0
    return RateInterval(estimate=share, lower=float(lower), upper=float(upper))
