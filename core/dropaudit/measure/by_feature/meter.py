"""Measuring a mask that keeps each feature with a probability of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dropaudit.graph.site import Law, Rates
from dropaudit.measure.meters.site_meters import MaskMeter, Take
from dropaudit.stats.design_effect import DesignEffect
from dropaudit.stats.ratios import RunningSpread, mask_cells
from dropaudit.stats.scale import Factor, declared_precision, is_constant, rarest


class RatesMeter(MaskMeter):
    """Keep rate and scale of a site whose keep probability differs from feature to feature.

    Its rate is the mean one; its scale is compared, element by element, with what each element's own rate asks for.

    Attributes:
        rates: keep probability of each element, broadcast against a replicate.
    """

    def __init__(
        self,
        name: str,
        rates: Rates,
        shared_axes: tuple[int, ...],
        alpha: float,
        design_effect: DesignEffect | None = None,
    ) -> None:
        super().__init__(name, None, Law(slope=1.0), shared_axes, alpha, design_effect=design_effect)
        self.rates = rates.array
        q = self.rates
        with np.errstate(divide="ignore"):
            self._asked = {
                Factor.INVERTED: 1 / q,
                Factor.UNSCALED: np.ones_like(q),
                Factor.DOUBLED: 1 / q**2,
                Factor.SWAPPED: 1 / (1 - q),
            }
        self._against = {name: RunningSpread() for name in self._asked}

    def read(self, before: NDArray[Any], after: NDArray[Any], *, sampled: bool) -> Take:
        """See SiteMeter. Every kept element is looked at."""
        take = super().read(before, after, sampled=sampled)
        before, after = np.broadcast_arrays(before, after)
        clear = mask_cells(before, after).kept & np.isfinite(self.rates)
        ratio = after[clear].astype(np.float64) / before[clear].astype(np.float64)
        against = {name: ratio / np.broadcast_to(asked, after.shape)[clear] for name, asked in self._asked.items()}

        def take_all() -> None:
            take()
            for name, values in against.items():
                self._against[name].add(values)

        return take_all

    @property
    def counts_suffice(self) -> bool:
        """See MaskMeter."""
        return False

    @property
    def factor_name(self) -> Factor:
        """The known factor that every kept element has, by its own rate; OTHER where there is none."""
        # What is always kept, or never, says nothing of how finely a threshold was written.
        precision = declared_precision(self.precision, rarest(self.rates))
        for name, spread in self._against.items():
            # An error of q counts twice in its square.
            near = precision * (2 if name is Factor.DOUBLED else 1)
            if not spread.empty and all(is_constant(each, 1.0, near) for each in (spread.lowest, spread.highest)):
                return name
        return Factor.OTHER
