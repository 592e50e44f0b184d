"""Intervals for a probability, from a count of events."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.99


@dataclass(frozen=True, slots=True)
class Proportion:
    """Events in independent trials, with the exact interval of Clopper & Pearson (Biometrika 26, 1934).

    Attributes:
        level: two-sided confidence of [lower, upper].
    """

    events: int
    trials: int
    level: float = LEVEL

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.trials or self.trials == 0 or not 0 < self.level < 1:
            raise ValueError(f"need 0 <= events <= trials, trials > 0 and 0 < level < 1, got {self}")

    @property
    def rate(self) -> float:
        """Observed share."""
        return self.events / self.trials

    @property
    def lower(self) -> float:
        """Lower end: the (1 - level)/2 quantile of Beta(k, n - k + 1), 0 for no event."""
        return _beta_quantile((1 - self.level) / 2, self.events, self.trials - self.events + 1)

    @property
    def upper(self) -> float:
        """Upper end: the (1 + level)/2 quantile of Beta(k + 1, n - k), 1 when all trials are events."""
        return _beta_quantile((1 + self.level) / 2, self.events + 1, self.trials - self.events)

    def refutes_at_most(self, probability: float) -> bool:
        """Whether so many events are too many for a probability of at most this."""
        return self.lower > probability


def _beta_quantile(share: float, a: int, b: int) -> float:
    if a == 0:
        return 0.0
    if b == 0:
        return 1.0
    # Imported here: it costs more than everything else that most callers do.
    from scipy.stats import beta

    return float(beta.ppf(share, a, b))
