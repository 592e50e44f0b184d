"""Numbers that moved: keep rates, scales and scale factors of two reports, told apart by their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from dropaudit.plan import DEFAULT_ALPHA
from dropaudit.report import Execution, Family, Interval, Report, Scale

# A scale is a constant of the graph, known to the rounding of its data; half precision keeps three digits.
_SAME_SCALE = 2e-3
_HALVINGS = 100


class Quantity(StrEnum):
    """Measures that are compared."""

    KEEP_PROB = "keepProb"
    SCALE = "scale"
    SCALE_FACTOR = "scaleFactor"


class Movement(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A measure of a site or an output that is not what it was."""

    quantity: Quantity
    subject: str
    before: Interval
    after: Interval


def widening(comparisons: int, alpha: float = DEFAULT_ALPHA) -> float:
    """Return by what factor intervals of level `alpha` are widened so that all comparisons together keep `alpha`.

        sqrt(1 + log(2 M) / log(1 / alpha))

    Two confidence sets that both hold the true value overlap. So two audits whose intervals are disjoint are wrong
    about an unmoved value with probability at most the sum of the two levels, however the audits depend on each other
    (Bonferroni's inequality; the difference of two confidence sets as a set for the difference). The tests of an audit
    share its alpha already; M pairs of audits need the level alpha / (2 M) each.

    A mixture's confidence sequence refutes a value where its evidence exceeds log(1/alpha) + c with c >= 0 (Robbins
    1970, and `keep_rate_interval`, `mean_interval`): to refute it at alpha / (2 M) it is enough to ask for the evidence
    times 1 + log(2 M) / log(1/alpha). Evidence on a mean grows with the square of the distance, hence the root. The
    bound asks for more than a report's own, smaller level would.

    Args:
        comparisons: M, pairs of audits that are compared at once, at least 1.
        alpha: level of the audits, the larger of the two; in (0, 0.5].
    """
    if comparisons < 1 or not 0 < alpha <= 0.5:
        raise ValueError(f"need comparisons >= 1 and 0 < alpha <= 0.5, got {comparisons}, {alpha}")
    return math.sqrt(1 + math.log(2 * comparisons) / math.log(1 / alpha))


def are_disjoint(one: Interval, other: Interval) -> bool:
    """Whether two intervals have nothing in common."""
    return one.upper < other.lower or other.upper < one.lower


def widened_mean(interval: Interval, factor: float) -> Interval:
    """Return an interval for a mean with both sides `factor` times as long."""
    return Interval(
        estimate=interval.estimate,
        lower=interval.estimate - factor * (interval.estimate - interval.lower),
        upper=interval.estimate + factor * (interval.upper - interval.estimate),
    )


def widened_rate(interval: Interval, factor: float) -> Interval:
    """Return an interval for a rate that asks for `factor` squared times the evidence at both ends.

    The evidence of n cells with kept share s against a rate q is n KL(s, q) with KL(s, q) = s log(s/q) + (1-s)
    log((1-s)/(1-q)). Its n is the same at both ends of the old interval and of the new one, so it cancels.
    """
    share = interval.estimate
    return Interval(
        estimate=share,
        lower=_where(share, factor**2 * _divergence(share, interval.lower), 0.0),
        upper=_where(share, factor**2 * _divergence(share, interval.upper), 1.0),
    )


def widened_noise_rate(interval: Interval, factor: float) -> Interval:
    """Return an interval for the q of Gaussian dropout, 1 / (1 + variance), widened as that of the variance."""
    variance = Interval(
        estimate=_variance(interval.estimate), lower=_variance(interval.upper), upper=_variance(interval.lower)
    )
    wide = widened_mean(variance, factor)
    low, high = (1 / (1 + max(0.0, each)) for each in (wide.upper, wide.lower))
    return Interval(estimate=interval.estimate, lower=low, upper=high)


def _variance(rate: float) -> float:
    return 1 / rate - 1 if rate > 0 else math.inf


def _where(share: float, divergence: float, outside: float) -> float:
    """Bisect for the rate of this divergence between the share and 0 or 1."""
    inside = share
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            break
        inside, outside = (middle, outside) if _divergence(share, middle) < divergence else (inside, middle)
    return outside


def _divergence(share: float, rate: float) -> float:
    return _part(share, rate) + _part(1 - share, 1 - rate)


def _part(share: float, rate: float) -> float:
    if share <= 0:
        return 0.0
    return share * math.log(share / rate) if rate > 0 else math.inf


class Measure(NamedTuple):
    """A number of a report that another report of the same subject has too; `widen` fits its statistics."""

    quantity: Quantity
    subject: str
    value: Interval
    widen: Callable[[Interval, float], Interval]


def movements(before: Report, after: Report, renamed: Mapping[str, str], factor: float) -> tuple[Movement, ...]:
    """Return the measures of two reports of one subject that moved; what only one of them measured is left out.

    Keep rates and scale factors moved when their widened intervals are disjoint. The scale of a site is not estimated:
    it moved when two constants differ by more than the rounding of half precision. Behind operators that are not
    linear, and where only a part of the output is dropped, a scale factor is a number of the model and of its inputs:
    factors are compared only of audits on the same inputs.

    Args:
        renamed: later names of sites and outputs of `before`.
        factor: what `widening` returns.
    """
    same_inputs = have_same_inputs(before.execution, after.execution)
    old = {(each.quantity, renamed.get(each.subject, each.subject)): each for each in measures_of(before)}
    pairs = ((old.get((each.quantity, each.subject)), each) for each in measures_of(after))
    return tuple(
        Movement(quantity=new.quantity, subject=new.subject, before=was.value, after=new.value)
        for was, new in pairs
        if was is not None
        and (same_inputs or new.quantity is not Quantity.SCALE_FACTOR)
        and are_disjoint(was.widen(was.value, factor), new.widen(new.value, factor))
    )


def have_same_inputs(before: Execution, after: Execution) -> bool:
    """Whether two audits ran on the same inputs, as far as reports tell: those that were made follow from the seed.

    Inputs that were given are taken for the same where their types and shapes are; their names may have changed.
    """
    kinds = [[(each.dtype, each.shape, each.synthesized) for each in side.inputs] for side in (before, after)]
    made = any(each.synthesized for each in after.inputs)
    return kinds[0] == kinds[1] and (before.seed == after.seed or not made)


def measures_of(report: Report) -> Iterator[Measure]:
    """Yield the measures of a report that can be compared, by site and output."""
    for site in report.sites:
        if site.keep_prob is not None and _is_finite(site.keep_prob):
            widen = widened_noise_rate if site.family is Family.GAUSSIAN else widened_rate
            yield Measure(Quantity.KEEP_PROB, site.name, site.keep_prob, widen)
        if site.scale is not None and _is_constant(site.scale):
            yield Measure(Quantity.SCALE, site.name, _extent(site.scale), _rounded)
    for output in report.outputs:
        if output.scale_factor is not None and _is_finite(output.scale_factor):
            yield Measure(Quantity.SCALE_FACTOR, output.name, output.scale_factor, widened_mean)


def _rounded(interval: Interval, _: float) -> Interval:
    """Return a constant with what rounding may have done to it: half of the tolerance on each side."""
    most = abs(interval.estimate) * _SAME_SCALE / 2
    return Interval(estimate=interval.estimate, lower=interval.estimate - most, upper=interval.estimate + most)


def _is_constant(scale: Scale) -> bool:
    finite = math.isfinite(scale.min) and math.isfinite(scale.max)
    return finite and math.isclose(scale.min, scale.max, rel_tol=_SAME_SCALE)


def _extent(scale: Scale) -> Interval:
    return Interval(estimate=scale.median, lower=scale.min, upper=scale.max)


def _is_finite(interval: Interval) -> bool:
    return all(map(math.isfinite, (interval.estimate, interval.lower, interval.upper)))
