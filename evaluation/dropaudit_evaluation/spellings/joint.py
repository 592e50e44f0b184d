"""The joint behaviour of a graph's sites: equal masks, and the output's scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np

from dropaudit_evaluation.spellings.errors import Unfit
from dropaudit_evaluation.spellings.intention import Law
from dropaudit_evaluation.spellings.truth import SiteTruth, Truth

TOLERANCE = 0.02
# (z / tolerance)^2 with the z of a sequential test at its share of alpha, over what an audit draws at most.
_REPLICATES_PER_VARIANCE, _MOST = (5.0 / TOLERANCE) ** 2, 30_000
_DEVIATIONS = 5.0
# Cells that independent masks would both drop, so that none is no chance.
_MANY = 30
_COMPARED = (Law.RIGHT, Law.GAUSSIAN, Law.NOISE)


class Link(StrEnum):
    """How the masks of two sites hang together."""

    NONE = "none"
    EQUAL = "equal"
    DECIDING = "one decides the other"
    OTHER = "dependent"


class Shift(StrEnum):
    """Whether the output keeps its scale."""

    NONE = "kept"
    SHIFTED = "shifted"
    UNSAID = "not linear"


@dataclass(frozen=True, slots=True)
class Joint:
    """The joint behaviour of the sites."""

    link: Link
    shift: Shift


def joint_of(truth: Truth, masks: Sequence[SiteTruth]) -> Joint:
    """Look at the masks of live sites, and at the output.

    Raises:
        Unfit: what the output does is too near to the tolerance, or needs more replicates than an audit has.
    """
    link = _strongest(masks)
    return Joint(link, _shift(truth, link))


def _strongest(masks: Sequence[SiteTruth]) -> Link:
    found = {_link(one, other) for one, other in combinations(masks, 2)}
    return next((link for link in (Link.EQUAL, Link.DECIDING, Link.OTHER) if link in found), Link.NONE)


def _link(one: SiteTruth, other: SiteTruth) -> Link:
    """Compare cell by cell; masks of other shapes are their own draws."""
    if one.kept.shape != other.kept.shape or not (_may_repeat(one) and _may_repeat(other)):
        return Link.NONE
    both = one.seen & other.seen
    a, b = one.kept[both], other.kept[both]
    if np.array_equal(a, b):
        return Link.EQUAL
    if not np.any(a & ~b) or not np.any(b & ~a):
        return Link.DECIDING
    expected, found = a.mean() * b.mean(), (a & b).mean()
    if (1 - a.mean()) * (1 - b.mean()) * a.size > _MANY and not np.any(~a & ~b):
        # What one drops the other keeps: of two tails of one draw, where the correlation is a hundredth.
        return Link.OTHER
    return Link.NONE if abs(found - expected) < 6 * math.sqrt(0.25 / a.size) else Link.OTHER


def _may_repeat(truth: SiteTruth) -> bool:
    """Whether another site can have the same draw: without a seed, each has its own."""
    return truth.site.is_seeded or truth.site.shares_mask


def _shift(truth: Truth, link: Link) -> Shift:
    live = [site.site for site in truth.sites if not site.site.is_dead]
    # A fault has its own name, and what another draw reaches has no output without it to be compared with.
    if any(site.nonlinear_behind or site.law not in _COMPARED for site in live):
        return Shift.UNSAID
    variance = float(truth.scales.var())
    away = abs(float(truth.scales.mean()) - 1)
    error = _DEVIATIONS * math.sqrt(variance / truth.scales.size) + 1e-4
    if away - error > 1.5 * TOLERANCE:
        return _shifted(away - TOLERANCE, variance)
    if variance * _REPLICATES_PER_VARIANCE > _MOST:
        raise Unfit("the output scatters too much")
    # Masks that are drawn each for itself keep the mean; where they hang together, the simulation must say so.
    if away > error or (link is not Link.NONE and away + error > TOLERANCE):
        raise Unfit("the output's scale is near the tolerance")
    return Shift.NONE


def _shifted(beyond: float, variance: float) -> Shift:
    """Return SHIFTED where an audit can see it: `beyond` is the way from the tolerance."""
    if variance * (_DEVIATIONS / beyond) ** 2 > _MOST:
        raise Unfit("the shift takes too many replicates to see")
    return Shift.SHIFTED
