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
# A look costs little beside a quarter more replicates.
_GROWTH = 4
_KNOWN_WIDTH = 0.01
_ELEMENT_BUDGET = 4_000_000


class Draws(Protocol):
    """Draws replicates of named tensors; `dropaudit.runtime.replicates.Sampler` is one."""

    @property
    def largest(self) -> int:
        """Most replicates to ask for at once, so that a caller can look up now and then."""
        ...

    def draw(self, count: int, names: Sequence[str]) -> dict[str, Array]:
        """Return `count` replicates of the named tensors, along a new first axis."""
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

    def wanted(self) -> tuple[str, ...]:
        """Return the tensors that undecided tests are waiting for; all of them before the first."""
        sites = (name for _, *names in self._open_sites() for name in names)
        return tuple(dict.fromkeys([*sites, *(name for _, name in self._open_outputs())]))

    def add(self, draws: dict[str, Array]) -> None:
        """Take in replicates of what is wanted."""
        sites, outputs = self._open_sites(), self._open_outputs()
        for site, before, after in sites:
            site.add(draws[before], draws[after])
        for output, name in outputs:
            output.add(draws[name])

    def _open_sites(self) -> list[tuple[SiteMeter, str, str]]:
        return [each for each in self.sites if each[0].cells == 0 or not _is_settled(each[0])]

    def _open_outputs(self) -> list[tuple[OutputMeter, str]]:
        return [each for each in self.outputs if not each[0].has_seen or self._is_open(each[0])]

    def _is_open(self, output: OutputMeter) -> bool:
        return output.name in self.tested_outputs and not output.progress().decided

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
    """Draw chunks that grow with the sample until all tests have decided.

    Args:
        draws: source of replicates.
        meters: what is measured.
        elements: numbers that one replicate returns; keeps a chunk within memory.
        plan: holds the limit.
        progress: told after each chunk.
        cancelled: asked after each part of a chunk.

    Returns:
        The last progress.

    Raises:
        AuditCancelled: `cancelled` said so.
    """
    largest = max(1, min(draws.largest, _ELEMENT_BUDGET // max(1, elements)))
    drawn, chunk = 0, FIRST_CHUNK
    while True:
        goal = min(drawn + chunk, plan.max_replicates)
        wanted = meters.wanted()
        while drawn < goal:
            if drawn and cancelled():
                raise AuditCancelled(f"cancelled after {drawn} replicates")
            count = min(largest, goal - drawn)
            meters.add(draws.draw(count, wanted))
            drawn += count
        state = meters.progress(Phase.SAMPLING, drawn, plan.max_replicates)
        progress(state)
        if state.decided_tests == state.total_tests or drawn >= plan.max_replicates:
            return state
        chunk = max(FIRST_CHUNK, drawn // _GROWTH)


def _is_settled(site: SiteMeter) -> bool:
    """Whether a site's test has decided; where there is none, whether its keep rate is known to a hundredth."""
    test, interval = site.progress(), site.interval
    if test is not None:
        return test.decided
    return interval is not None and interval.upper - interval.lower <= _KNOWN_WIDTH
