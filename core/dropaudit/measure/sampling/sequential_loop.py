"""The sequential loop: draw replicates until every test has decided, or the limit is reached."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dropaudit.errors import AuditCancelled
from dropaudit.measure.meters.output_meter import OutputMeter
from dropaudit.measure.meters.site_meters import SiteMeter
from dropaudit.measure.sampling.chunk_reader import Reader
from dropaudit.plan import DEFAULT_MAX_REPLICATES, IsCancelled, OnProgress, Phase, Plan, Progress
from dropaudit.runtime.replicates import Sampler

# Enough for normal values to be looked at: 24 of them count after kurtosis, see `may_look`. Half as many again as the
# burn-in cost less than a second look.
FIRST_CHUNK = 96
# A look costs little beside a quarter more replicates.
_GROWTH = 4
# Elements that are looked at for one kept factor; where a mask keeps fewer, the median is that of fewer.
_ELEMENTS_PER_FACTOR = 8
# Cells of a mask under which the default limit counts cells, and not replicates: a million decide.
_FEW_CELLS = 16
_LEAST_SPREAD = 1e-3
# Replicates that are drawn one by one take longer: so many times the default limit at most.
_MOST_ONE_BY_ONE = 4
# So many meters have their intervals noted between chunks as well.
_FEW_METERS = 16
# Replicates after which an output that no verdict waits for is left as it is.
_NOTED = 512


class Meters(msgspec.Struct, frozen=True):
    """The meters of an audit: sites by the tensors before and after their mask, outputs by name.

    `judged` is False where nothing is tested: at inference there is no scale to judge. Of `noted_outputs` the factor
    is reported as far as it is known, and no verdict waits for it.
    """

    sites: Sequence[tuple[SiteMeter, str, str]]
    outputs: Sequence[tuple[OutputMeter, str]]
    tested_outputs: frozenset[str]
    noted_outputs: frozenset[str] = frozenset()
    judged: bool = True

    def wanted(self) -> tuple[str, ...]:
        """Return the tensors that undecided tests are waiting for; all of them before the first."""
        sites = (name for _, *names in self._open_sites() for name in names)
        return tuple(dict.fromkeys([*sites, *(name for _, name in self._open_outputs())]))

    def reader(self) -> Reader:
        """Return a reader of the replicates that are wanted now."""
        sites, outputs = self._open_sites(), self._open_outputs()
        unsampled = [_ELEMENTS_PER_FACTOR * site.scale.room for site, _, _ in sites]
        return Reader(sites, outputs, unsampled, {name: output.unpictured for output, name in outputs})

    def _open_sites(self) -> list[tuple[SiteMeter, str, str]]:
        return [each for each in self.sites if each[0].cells == 0 or not _is_settled(each[0])]

    def _open_outputs(self) -> list[tuple[OutputMeter, str]]:
        return [each for each in self.outputs if not each[0].has_seen or self._is_open(each[0])]

    def _is_open(self, output: OutputMeter) -> bool:
        if output.name in self.noted_outputs:
            return output.interval is None
        return output.name in self.tested_outputs and not output.progress().decided

    def lacks_notes(self) -> bool:
        """Whether an output that no verdict waits for has no interval yet."""
        return any(output.interval is None for output, _ in self.outputs if output.name in self.noted_outputs)

    def replicates_of_few_cells(self, most: int) -> int:
        """Return how many replicates the default limit stands for where a mask has few cells in each.

        Of a mask whose own test is decided it does so while that of an output, which it moves, is not. An output that
        scatters as if few cells moved it, since a mask seldom keeps or some cells weigh more than others, has no more.
        `most` is how many times the default limit it may be.
        """
        waiting = [output for output, _ in self.outputs if self._is_open(output)]
        sites = self.sites if waiting else self._open_sites()
        cells = [float(site.elements) for site, _, _ in sites if site.elements]
        # A cell that is kept with probability 1/2, and doubled, has variance 1.
        cells += [1 / max(output.spread, _LEAST_SPREAD) ** 2 for output in waiting]
        return int(DEFAULT_MAX_REPLICATES * min(most, _FEW_CELLS / max(1.0, min([_FEW_CELLS, *cells]))))

    def note_between_chunks(self, replicates: int) -> None:
        """Note the same within a chunk, where few meters make that cheap, each time that there is a fifth more."""
        if len(self.sites) + len(self.outputs) > _FEW_METERS:
            return
        for site, _, _ in self.sites:
            if site.cells and site.trajectory.is_due(replicates):
                site.trajectory.note(replicates, site.interval)
        for output, _ in self.outputs:
            if output.trajectory.is_due(replicates):
                output.trajectory.note(replicates, output.interval)

    def note_intervals(self, replicates: int) -> None:
        """Note how far the intervals have narrowed by now."""
        for site, _, _ in self.sites:
            site.trajectory.note(replicates, site.interval if site.cells else None)
        for output, _ in self.outputs:
            output.trajectory.note(replicates, output.interval)

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


def sample(sampler: Sampler, meters: Meters, plan: Plan, progress: OnProgress, cancelled: IsCancelled) -> Progress:
    """Draw chunks that grow with the sample until all tests have decided, or more are not worth their time.

    Args:
        sampler: source of replicates.
        meters: what is measured.
        plan: holds the limit.
        progress: told after each chunk.
        cancelled: asked after each piece of a chunk.

    Returns:
        The last progress.

    Raises:
        AuditCancelled: `cancelled` said so.
    """
    drawn, chunk, limit = 0, FIRST_CHUNK, plan.max_replicates
    end, is_default = limit, plan.max_replicates == DEFAULT_MAX_REPLICATES
    while True:
        goal = min(drawn + chunk, end)
        for count, take in sampler.pieces(goal - drawn, meters.wanted(), meters.reader()):
            take()
            drawn += count
            meters.note_between_chunks(drawn)
            if drawn < goal and cancelled():
                raise AuditCancelled(f"cancelled after {drawn} replicates")
        if is_default and drawn == plan.max_replicates:
            limit = meters.replicates_of_few_cells(_FEW_CELLS if sampler.name == "tiled" else _MOST_ONE_BY_ONE)
        more = sampler.affordable(meters.wanted()) if is_default else None
        end = limit if more is None else min(limit, drawn + more)
        state = meters.progress(Phase.SAMPLING, drawn, end)
        meters.note_intervals(drawn)
        progress(state)
        decided = state.decided_tests == state.total_tests
        if drawn >= end or (decided and (drawn >= _NOTED or not meters.lacks_notes())):
            return state
        if cancelled():
            raise AuditCancelled(f"cancelled after {drawn} replicates")
        chunk = max(FIRST_CHUNK, drawn // _GROWTH)


def _is_settled(site: SiteMeter) -> bool:
    test = site.progress()
    return test is None or test.decided
