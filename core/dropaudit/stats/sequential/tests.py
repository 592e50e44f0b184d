"""Sequential tests on a confidence sequence: what has been decided, and how many times as large a sample would do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

# The share that a sample must grow by before another look is worth it.
_LEAST_MORE = 1.1


class Bounds(Protocol):
    """A confidence sequence at the time of a look."""

    @property
    def estimate(self) -> float:
        """The estimate."""
        ...

    @property
    def lower(self) -> float:
        """The smallest value that is not refuted."""
        ...

    @property
    def upper(self) -> float:
        """The largest value that is not refuted."""
        ...


class Outcome(Enum):
    """The state of a test at a look."""

    INSIDE = "inside the margin"
    OUTSIDE = "outside the margin"
    OPEN = "undecided"


class SequentialTest(Protocol):
    """The next thing a meter waits for."""

    def outcome(self, bounds: Bounds) -> Outcome:
        """Return what is decided."""
        ...

    def times_as_many(self, bounds: Bounds) -> float:
        """Return how many times as large a sample would likely decide; infinite where none would."""
        ...


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether a quantity lies within a margin of a target."""

    target: float
    margin: float

    def outcome(self, bounds: Bounds) -> Outcome:
        """INSIDE or OUTSIDE once the bounds lie within target +- margin, or beyond it."""
        low, high = self.target - self.margin, self.target + self.margin
        if low <= bounds.lower and bounds.upper <= high:
            return Outcome.INSIDE
        return Outcome.OUTSIDE if bounds.upper < low or bounds.lower > high else Outcome.OPEN

    def times_as_many(self, bounds: Bounds) -> float:
        """The way from the estimate to a bound falls as one over the root of the sample; see SequentialTest.

        While the target is not refuted it is taken for the truth, to which the estimate returns: both ways must fit
        into the margin. Once it is refuted the estimate is taken for the truth: inside the margin both bounds must come
        in from beyond its edges, outside of it the nearer one must leave it.
        """
        low, high = self.target - self.margin, self.target + self.margin
        up, down = bounds.upper - bounds.estimate, bounds.estimate - bounds.lower
        if bounds.lower <= self.target <= bounds.upper:
            shrink = _ratio(max(up, down), self.margin)
        elif low <= bounds.estimate <= high:
            shrink = max(_ratio(up, high - bounds.estimate), _ratio(down, bounds.estimate - low))
        elif bounds.estimate > high:
            shrink = _ratio(down, bounds.estimate - high)
        else:
            shrink = _ratio(up, low - bounds.estimate)
        return max(shrink**2, _LEAST_MORE)


@dataclass(frozen=True, slots=True)
class Width:
    """Whether a quantity is known to a width; there is nothing that it could be outside of."""

    width: float

    def outcome(self, bounds: Bounds) -> Outcome:
        """INSIDE once the bounds are no further apart."""
        return Outcome.INSIDE if bounds.upper - bounds.lower <= self.width else Outcome.OPEN

    def times_as_many(self, bounds: Bounds) -> float:
        """See SequentialTest."""
        return float(max(((bounds.upper - bounds.lower) / self.width) ** 2, _LEAST_MORE))


def _ratio(way: float, room: float) -> float:
    return way / room if room > 0 else math.inf
