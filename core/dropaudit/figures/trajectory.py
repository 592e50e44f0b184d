"""How an interval narrowed over the replicates."""

from __future__ import annotations

from dropaudit.report import Interval, Trajectory

MOST_POINTS = 32
_DIGITS = 7
_NEXT = 1.2


class TrajectoryRecorder:
    """Notes an interval at each look, and keeps at most 32 points, evenly spread over the looks; the last is one."""

    def __init__(self) -> None:
        self._points: list[tuple[int, Interval]] = []
        self._last: tuple[int, Interval] | None = None
        self._looks = 0
        self._step = 1

    def is_due(self, replicates: int) -> bool:
        """Whether there are a fifth more replicates than at the last point."""
        return self._last is None or replicates >= _NEXT * self._last[0]

    def note(self, replicates: int, interval: Interval | None) -> None:
        """Take in what is known after so many replicates; None, or an unchanged value, does not add a point."""
        if interval is None or (self._last is not None and self._last[1] == interval):
            return
        self._last = (replicates, interval)
        if self._looks % self._step == 0:
            self._points.append(self._last)
        self._looks += 1
        # One place is left for the last look.
        if len(self._points) == MOST_POINTS:
            self._points = self._points[::2]
            self._step *= 2

    @property
    def trajectory(self) -> Trajectory | None:
        """The points so far; None of fewer than two."""
        if self._last is None:
            return None
        points = self._points if self._points[-1] == self._last else [*self._points, self._last]
        return trajectory_of(points) if len(points) > 1 else None


def trajectory_of(points: list[tuple[int, Interval]]) -> Trajectory:
    """Return points as a report holds them, to seven digits."""
    return Trajectory(
        replicates=tuple(replicates for replicates, _ in points),
        lower=tuple(_rounded(interval.lower) for _, interval in points),
        estimate=tuple(_rounded(interval.estimate) for _, interval in points),
        upper=tuple(_rounded(interval.upper) for _, interval in points),
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
