"""How an interval narrowed, in a few characters."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dropaudit.report import Trajectory

_LEVELS = "▁▂▃▄▅▆▇█"
MOST = 8
_FEWEST = 3


def sparkline(widths: Sequence[float], most: int = MOST) -> str:
    """Return widths as bars beside the largest one; of many, evenly spread ones and the last.

    Returns nothing for fewer than two widths, or where one is not finite.
    """
    if len(widths) < 2 or not all(map(math.isfinite, widths)):
        return ""
    shown = _spread(widths, most)
    largest = max(shown)
    if largest <= 0:
        return _LEVELS[0] * len(shown)
    return "".join(_LEVELS[max(0, round(len(_LEVELS) * width / largest) - 1)] for width in shown)


def narrowing(trajectory: Trajectory | None) -> str:
    """Return the widths of a trajectory as bars; nothing where there are too few to see anything."""
    if trajectory is None or len(trajectory.replicates) < _FEWEST:
        return ""
    return sparkline([high - low for low, high in zip(trajectory.lower, trajectory.upper, strict=False)])


def _spread(widths: Sequence[float], most: int) -> list[float]:
    if len(widths) <= most:
        return list(widths)
    last = len(widths) - 1
    return [widths[round(place * last / (most - 1))] for place in range(most)]
