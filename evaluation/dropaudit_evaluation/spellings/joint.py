"""What the sites of a graph do together: equal masks, and the output's scale."""

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
_UNCOMPARED = (Law.WORDS, Law.ZONEOUT, Law.BRANCH, Law.FILL)


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
    """What the sites do together."""

    link: Link
    shift: Shift


def joint_of(truth: Truth, masks: Sequence[SiteTruth]) -> Joint:
    """Look at the masks of live sites, and at the output.

    Raises:
        Unfit: what the output does is too near to the tolerance, or needs more replicates than an audit has.
    """
    return Joint(_strongest(masks), _shift(truth))


def _strongest(masks: Sequence[SiteTruth]) -> Link:
    found = {_link(one, other) for one, other in combinations(masks, 2)}
    return next((link for link in (Link.EQUAL, Link.DECIDING, Link.OTHER) if link in found), Link.NONE)


def _link(one: SiteTruth, other: SiteTruth) -> Link:
    """Compare cell by cell; masks of other shapes are their own draws."""
    if one.kept.shape != other.kept.shape or not (one.site.is_seeded and other.site.is_seeded):
        return Link.NONE
    both = one.seen & other.seen
    a, b = one.kept[both], other.kept[both]
    if np.array_equal(a, b):
        return Link.EQUAL
    if not np.any(a & ~b) or not np.any(b & ~a):
        return Link.DECIDING
    expected, found = a.mean() * b.mean(), (a & b).mean()
    return Link.NONE if abs(found - expected) < 6 * math.sqrt(0.25 / a.size) else Link.OTHER


def _shift(truth: Truth) -> Shift:
    live = [site.site for site in truth.sites if not site.site.is_dead]
    # What another draw reaches has no output without it to be compared with.
    if any(site.nonlinear_behind or site.law in _UNCOMPARED for site in live):
        return Shift.UNSAID
    mean, variance = float(truth.scales.mean()), float(truth.scales.var())
    error = _DEVIATIONS * math.sqrt(variance / truth.scales.size) + 1e-4
    if abs(mean - 1) - error > TOLERANCE:
        return Shift.SHIFTED
    if variance * _REPLICATES_PER_VARIANCE > _MOST:
        raise Unfit("the output scatters too much")
    if abs(mean - 1) > error:
        raise Unfit("the output's scale is near the tolerance")
    return Shift.NONE
