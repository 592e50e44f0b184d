"""The compensation at inference for training: the factor between the two modes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from dropaudit.graph.site import GraphSite
from dropaudit.measure.cases.reference import Reference
from dropaudit.measure.finding.pair_factors import PairStudy
from dropaudit.stats.products import inner, norm_squared
from dropaudit.subjects import Array, float_array

_PRECISION = 1e-3
_RESIDUAL = 1e-3


class Compensation(msgspec.Struct, frozen=True):
    """Constant factor of the inference outputs over those of the train mode with its sites bypassed.

    1 where nothing was compensated, and for a single artifact; None where the two differ by more than a factor.
    """

    factor: float | None = 1.0

    def is_near(self, value: float) -> bool:
        """Whether the factor is `value`, at the precision two graphs agree to."""
        return self.factor is not None and abs(self.factor / value - 1) <= _PRECISION


class Compensations(msgspec.Struct, frozen=True):
    """What inference does about each site; for those that `known` does not name it is the same."""

    known: Mapping[GraphSite, float]
    others: Compensation

    @property
    def explain_all(self) -> bool:
        """Whether the two modes differ by nothing but factors."""
        return self.others.factor is not None

    def of(self, site: GraphSite) -> Compensation:
        """Return what inference does about a site."""
        return Compensation(self.known[site]) if site in self.known else self.others


def compensations(pair: PairStudy | None, reference: Reference) -> Compensations:
    """Find what inference does about sites.

    Args:
        pair: how the artifacts of a pair relate; None for a single artifact.
        reference: outputs at inference, and of the train mode with its sites bypassed.
    """
    if pair is None:
        return Compensations({}, branch_compensation(reference))
    return (
        Compensations({}, Compensation(None)) if pair.factors is None else Compensations(pair.factors, Compensation())
    )


def branch_compensation(reference: Reference) -> Compensation:
    """Return the one factor between the outputs of a model's two modes; None where they differ otherwise."""
    factors = [output_factor(reference.outputs[name], reference.derived[name]) for name in reference.outputs]
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(factors):
        return Compensation(None)
    # An output that no site reaches has factor 1 and says nothing about the others.
    return Compensation(max(known, key=lambda factor: abs(math.log(factor)), default=1.0))


def output_factor(inference: Array, derived: Array) -> float | None:
    """Return f where inference = f * derived within 1e-3, None where they differ otherwise."""
    if inference is derived:
        return 1.0 if np.isfinite(derived).all() else None
    y, x = float_array(inference).ravel(), float_array(derived).ravel()
    norm = norm_squared(x)
    if not math.isfinite(norm) or not np.all(np.isfinite(y)):
        return None
    if norm == 0:
        return 1.0 if not y.any() else None
    factor = float(inner(x, y)) / norm
    residual = math.sqrt(norm_squared(y - factor * x) / norm)
    return factor if factor > 0 and residual <= _RESIDUAL * max(1.0, factor) else None
