"""How often the asymptotic confidence sequence for an output's scale factor misses 1, watched all along.

The streams are projections of inverted dropout on an output of a few elements, s = sum(w m) / q with weights w that add
up to 1, whose mean is 1. The sequence is asymptotic, so its misses are compared with alpha but not bounded by it; what
the audit promises is that it does not decide wrongly at its tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dropaudit.plan import DEFAULT_TOLERANCE
from dropaudit.stats.mean import ENOUGH, mean_interval
from dropaudit_evaluation.calibration.binomial import Proportion
from dropaudit_evaluation.calibration.looks import Looks

Floats = NDArray[np.float64]
_AT_A_TIME = 100
# A variance under this is that of a constant stream.
_ROUNDING = 1e-15


@dataclass(frozen=True, slots=True)
class Setting:
    """How streams are watched.

    Attributes:
        alpha: nominal level.
        looks: when.
        patient: whether a look is skipped where `dropaudit.stats.mean.may_look` says so.
    """

    alpha: float
    looks: Looks
    patient: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """The outcome of the streams in one setting.

    Attributes:
        misses: streams of which some look's interval excludes the true mean.
        false_decisions: streams whose first decided look says that the mean leaves 1 by more than the tolerance.
    """

    misses: Proportion
    false_decisions: Proportion


def unequal_weights(elements: int, rng: np.random.Generator) -> Floats:
    """Return squares of normal numbers over their sum: what the projection of a random output weighs them with."""
    squares = rng.standard_normal(elements) ** 2
    return np.asarray(squares / squares.sum())


def projections(weights: Floats, keep_prob: float, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Draw scale factors of inverted dropout, shape (streams, replicates)."""
    kept = rng.random((*shape, weights.size), dtype=np.float32) < keep_prob
    return np.asarray(kept @ weights / keep_prob)


def half_widths(looks: Looks, alpha: float) -> Floats:
    """Return the half width at each look for a standard deviation of 1; it is proportional to that."""
    return np.array([mean_interval(int(count), 0.0, 1.0, alpha).upper for count in looks])


@dataclass(frozen=True, slots=True)
class Streams:
    """Running moments of streams at looks, shape (streams, looks).

    Attributes:
        distances: of the mean from 1.
        sds: standard deviations, with the divisor n.
        informative: whether the stream is long enough for its kurtosis, as `may_look` has it.
    """

    distances: Floats
    sds: Floats
    informative: NDArray[np.bool_]

    @classmethod
    def at(cls, looks: Looks, values: Floats) -> Streams:
        """Look at values of shape (streams, replicates)."""
        first, second, third, fourth = (
            np.cumsum((values - 1) ** power, axis=1)[:, looks - 1] / looks for power in (1, 2, 3, 4)
        )
        variance = second - first**2
        varies = variance > _ROUNDING
        around = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
        effective = np.divide(looks * variance**2, around, out=np.zeros_like(variance), where=varies)
        return cls(np.abs(first), np.sqrt(np.where(varies, variance, 0.0)), effective >= ENOUGH)

    def judged(self, setting: Setting, widths: Floats, tolerance: float) -> tuple[int, int]:
        """Return how many streams miss 1 at some look, and how many are first decided wrongly."""
        allowed = self.informative if setting.patient else np.ones_like(self.informative)
        width = widths * self.sds
        missed = (self.distances > width) & allowed
        refutes = (self.distances - width > tolerance) & allowed
        agrees = (self.distances + width <= tolerance) & allowed
        decided = np.argmax(refutes | agrees, axis=1)
        return int(missed.any(axis=1).sum()), int(refutes[np.arange(len(refutes)), decided].sum())


def watch(
    weights: Floats, keep_prob: float, settings: Sequence[Setting], streams: int, rng: np.random.Generator
) -> list[Watched]:
    """Watch the same streams in every setting.

    Args:
        weights: of the output's elements, shape (elements,), adding up to 1.
        keep_prob: q.
        settings: how to watch.
        streams: how many.
        rng: source of the masks.
    """
    widths = [half_widths(setting.looks, setting.alpha) for setting in settings]
    counted = np.zeros((len(settings), 2), dtype=np.int64)
    last = max(int(setting.looks[-1]) for setting in settings)
    for start in range(0, streams, _AT_A_TIME):
        values = projections(weights, keep_prob, (min(_AT_A_TIME, streams - start), last), rng)
        seen = {id(setting.looks): Streams.at(setting.looks, values) for setting in settings}
        counted += [
            seen[id(setting.looks)].judged(setting, width, DEFAULT_TOLERANCE)
            for setting, width in zip(settings, widths, strict=True)
        ]
    return [Watched(Proportion(int(missed), streams), Proportion(int(wrong), streams)) for missed, wrong in counted]
