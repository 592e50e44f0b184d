"""A site with its measurements."""

from __future__ import annotations

import math

import msgspec

from dropaudit.graph.site import GraphSite, Law
from dropaudit.graph.sites.laws import ALPHA_PRIME, agrees, alpha_law
from dropaudit.judge.compensation import Compensation
from dropaudit.measure.by_feature.meter import RatesMeter
from dropaudit.measure.meters.site_meters import ChoiceMeter, MaskMeter, NoiseMeter, SiteMeter
from dropaudit.report import Family, Implementation
from dropaudit.stats.scale import (
    Factor,
    declared_precision,
    name_factor,
    name_factor_in_steps,
    name_factor_within,
)

# Where cells do not draw for themselves, those at the borders have another rate.
_BORDERS = 0.035
# Factors of tensors in half precision are known less well than this.
_SINGLE = 1e-3
# Two graphs agree no better than this.
_OF_PAIRS = 1e-3
# Slope and shift of a law were fitted to values in single precision.
_OF_LAWS = 2e-4


class MeasuredSite(msgspec.Struct, frozen=True):
    """A site with its measurements.

    Attributes:
        follows: whether this one's mask depends on another site's: behind it, this one's rate cannot be seen.
        is_scale_free: whether what it keeps is normalized, so that its scale changes no output.
    """

    site: GraphSite
    meter: SiteMeter
    follows: bool = False
    is_scale_free: bool = False

    @property
    def keep_prob(self) -> float:
        """Keep probability to judge the scale by: the graph's, else the caller's, else the measured one."""
        if self.is_declared:
            for declared in (self.site.keep_prob_as_run, self.meter.keep_prob):
                if declared is not None:
                    return declared
        interval = self.meter.interval
        return interval.estimate if interval is not None else 0.5

    @property
    def factor(self) -> float | None:
        """The one factor on kept elements; None where it varies, or where the site is not a mask."""
        return self.meter.factor if isinstance(self.meter, MaskMeter) else None

    @property
    def is_declared(self) -> bool:
        """Whether graph or caller say how much is kept, and the measured rate does not say otherwise of a chain."""
        if self.meter.keep_prob is not None:
            return True
        interval, declared = self.meter.interval, self.site.keep_prob_as_run
        if self.follows:
            return declared is not None
        return declared is not None and (interval is None or not interval.excludes(declared))

    @property
    def factor_name(self) -> Factor:
        """Name of the measured factor; OTHER where it varies or cannot be compared."""
        if isinstance(self.meter, RatesMeter):
            return self.meter.factor_name
        q = self.keep_prob
        if self.factor is None or not isinstance(self.meter, MaskMeter) or not 0 < q < 1:
            return Factor.OTHER
        interval = self.meter.interval
        if not self.is_declared:
            return name_factor_within(self.factor, interval.lower - self._slack, interval.upper + self._slack)
        operator = self.site.implementation is Implementation.DROPOUT_OP
        precision = self.meter.precision if operator else declared_precision(self.meter.precision, q)
        named = name_factor(self.factor, q, precision)
        if named is Factor.OTHER and not operator and self.meter.precision > _SINGLE:
            # A draw that half precision has moved away from zero has steps of more than its own precision.
            return name_factor_in_steps(self.factor, q, interval.lower, interval.upper)
        return named

    @property
    def _slack(self) -> float:
        """How far a measured rate may lie from the one that the scale is made for."""
        return _BORDERS if self.site.has_borders else 0.0

    def may_be_kept_rate(self, number: float) -> bool:
        """Whether a number is the keep probability, as far as that is known."""
        interval = self.meter.interval
        if self.is_declared or interval is None:
            return self.keep_prob > 0 and math.isclose(number, self.keep_prob, rel_tol=_OF_PAIRS)
        return interval.lower - self._slack <= number <= interval.upper + self._slack

    def is_made_up_for(self, compensation: Compensation) -> bool:
        """Whether inference multiplies by what the kept values lack."""
        factor = self.factor
        if factor is None or compensation.factor is None:
            return False
        return self.may_be_kept_rate(compensation.factor / factor)

    @property
    def is_unmeasured(self) -> bool:
        """Whether nothing can be said of its rate or scale: no data that is away from zero has reached it."""
        if isinstance(self.meter, ChoiceMeter):
            return self.meter.cells == 0
        return self.meter.cells == 0 or (self.meter.scale.empty and not self.drops_everything)

    @property
    def drops_everything(self) -> bool:
        """Whether cells were seen and none was kept."""
        return isinstance(self.meter, MaskMeter) and self.meter.cells > 0 and self.meter.kept == 0

    @property
    def is_shifted(self) -> bool:
        """Whether kept or dropped elements are moved, as in alpha dropout."""
        law = self.site.law
        return law is not None and not law.is_plain and not law.spread

    @property
    def is_alpha(self) -> bool:
        """Whether the law is that of alpha dropout at the site's keep probability.

        What it makes of dropped values is alpha' a q, so that the law tells its q: more exactly than a measured rate.
        """
        law, meter = self.site.law, self.meter
        if law is None or not self.factor or not self.is_shifted or not isinstance(meter, MaskMeter):
            return False
        q = law.dropped / (ALPHA_PRIME * self.factor)
        known = self.is_declared and math.isclose(q, self.keep_prob, rel_tol=max(meter.precision, _OF_PAIRS))
        measured = not self.is_declared and not meter.interval.excludes(q)
        seen = Law(self.factor, law.shift, law.dropped)
        return 0 < q < 1 and (known or measured) and agrees(seen, alpha_law(q), max(meter.precision, _OF_LAWS))

    @property
    def family(self) -> Family:
        """The family of the site's scaling."""
        if isinstance(self.meter, NoiseMeter):
            return Family.GAUSSIAN
        if self.site.other is not None or self.site.uneven:
            return Family.OTHER
        if self.is_shifted:
            return Family.ALPHA if self.is_alpha else Family.OTHER
        return {Factor.INVERTED: Family.INVERTED, Factor.UNSCALED: Family.UNSCALED}.get(self.factor_name, Family.OTHER)
