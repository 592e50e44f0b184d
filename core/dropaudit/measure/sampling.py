"""The sequential loop: draw replicates until every test has decided, or the limit is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dropaudit.errors import AuditCancelled
from dropaudit.measure.meters import SiteMeter
from dropaudit.measure.output_meter import OutputMeter
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress
from dropaudit.subjects import Array

FIRST_CHUNK = 64
_ELEMENT_BUDGET = 4_000_000


class Draws(Protocol):
    """Draws replicates of named tensors; `dropaudit.runtime.replicates.Sampler` is one."""

    def draw(self, count: int) -> dict[str, Array]:
        """Return `count` replicates of each tensor, along a new first axis."""
        ...


@dataclass(frozen=True, slots=True)
class Meters:
    """What is measured: sites by the tensors before and after their mask, outputs by name.

    `judged` is False where nothing is tested: at inference there is no scale to judge.
    """

    sites: Sequence[tuple[SiteMeter, str, str]]
    outputs: Sequence[tuple[OutputMeter, str]]
    tested_outputs: frozenset[str]
    judged: bool = True

    def add(self, draws: dict[str, Array]) -> None:
        """Take in replicates."""
        for site, before, after in self.sites:
            site.add(draws[before], draws[after])
        for output, name in self.outputs:
            output.add(draws[name])

    def progress(self, phase: Phase, replicates: int, limit: int) -> Progress:
        """Return how far the tests are."""
        sites = self.sites if self.judged else ()
        tests = [test for site, _, _ in sites if (test := site.progress()) is not None]
        tests += [output.progress() for output, _ in self.outputs if output.name in self.tested_outputs]
        return Progress(
            phase=phase,
            replicates=replicates,
            max_replicates=limit,
            decided_tests=sum(test.decided for test in tests),
            total_tests=len(tests),
            tests=tuple(tests),
        )


def sample(
    draws: Draws, meters: Meters, elements: int, plan: Plan, progress: OnProgress, cancelled: IsCancelled
) -> Progress:
    """Draw chunks that double in size until all tests have decided.

    Args:
        draws: source of replicates.
        meters: what is measured.
        elements: numbers that one replicate returns; keeps a chunk within memory.
        plan: holds the limit.
        progress: told after each chunk.
        cancelled: asked after each chunk.

    Returns:
        The last progress.

    Raises:
        AuditCancelled: `cancelled` said so.
    """
    largest = max(1, _ELEMENT_BUDGET // max(1, elements))
    drawn, chunk = 0, min(FIRST_CHUNK, largest)
    while True:
        count = min(chunk, plan.max_replicates - drawn)
        meters.add(draws.draw(count))
        drawn += count
        state = meters.progress(Phase.SAMPLING, drawn, plan.max_replicates)
        progress(state)
        enough = drawn >= FIRST_CHUNK and state.decided_tests == state.total_tests
        if enough or drawn >= plan.max_replicates:
            return state
        if cancelled():
            raise AuditCancelled(f"cancelled after {drawn} replicates")
        chunk = min(drawn, largest)
