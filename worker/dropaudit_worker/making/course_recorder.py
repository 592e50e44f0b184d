"""Notes how the audit under way goes: its phases, by this process's clock, and what its sandbox had kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from dropaudit_store.audits.course import Course

LOADING = "LOADING"
_NANOSECONDS = 10**9
# A sandbox may say anything; an audit looks a few times.
_MOST_LOOKUPS = 100


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """A phase that has ended, in nanoseconds since the epoch."""

    phase: str
    start: int
    end: int


class CourseRecorder:
    """The course of one audit after another: a child makes one at a time."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Forget the audit before."""
        self._phase, self._start = "", 0
        self._hits = self._misses = 0
        self.spans: list[PhaseSpan] = []

    def enter(self, phase: str) -> None:
        """Note that a phase has begun, and the one before has ended."""
        if phase != self._phase:
            self.leave()
            self._phase, self._start = phase, self._clock()

    def leave(self) -> None:
        """Note that the last phase has ended."""
        if self._phase:
            # The clock may have been set back.
            self.spans.append(PhaseSpan(self._phase, self._start, max(self._start, self._clock())))
            self._phase = ""

    def looked_up(self, hits: int, misses: int) -> None:
        """Note what the sandbox says that it had kept, and had not."""
        self._hits, self._misses = (min(max(0, each), _MOST_LOOKUPS) for each in (hits, misses))

    def course(self) -> Course:
        """Return the course so far."""
        phases: dict[str, float] = {}
        for each in self.spans:
            phases[each.phase] = phases.get(each.phase, 0.0) + (each.end - each.start) / _NANOSECONDS
        return Course(phases, self._hits, self._misses)
