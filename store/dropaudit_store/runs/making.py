"""Brings a run from its beginning to its audits. Every step may be repeated, by whoever finds that it got stuck."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog

from dropaudit_store.audits.creation import AuditToCreate
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.errors import ModelNotFound, RunNotFound, RunTooLarge, SuiteNotFound
from dropaudit_store.members.resolving import Resolution, Resolver
from dropaudit_store.records import AuditRecord, AuditRequest, AuditState, Overlap, Run, RunPhase, RunTrigger, Suite
from dropaudit_store.runs.records import Assigned, RunMember
from dropaudit_store.runs.store import RunStore
from dropaudit_store.runs.work import Works, work_of

# No caller's request id holds it: the audits of runs are found by ids of their own.
_OF_RUNS = "\x1f"
_AT_A_TIME = 200

# Tells workers of audits that wait.
Wake = Callable[[Sequence[AuditRecord]], None]
_log = structlog.get_logger(__name__)


class RunMaker:
    """Makes runs.

    Args:
        suite: returns a suite; raises SuiteNotFound.
        wake: told of the audits that were made, as soon as they are.
    """

    def __init__(
        self,
        runs: RunStore,
        audits: AuditStore,
        works: Works,
        resolver: Resolver,
        suite: Callable[[str], Suite],
        wake: Wake,
    ) -> None:
        self._runs = runs
        self._audits = audits
        self._works = works
        self._resolver = resolver
        self._suite = suite
        self._wake = wake

    def make(self, suite_id: str, run_id: str, *, too_large: bool = False) -> None:
        """Make the audits of a run that has begun, unless another worker is making them, or it waits for another one.

        Args:
            too_large: whether RunTooLarge is raised; otherwise the run has no members and says why.

        Raises:
            RunTooLarge: the suite stands for more than a run may have.
            QueueFull: too many audits wait; what is missing is made later.
        """
        try:
            run, suite = self._runs.read.get(suite_id, run_id), self._suite(suite_id)
        except (RunNotFound, SuiteNotFound):
            _log.info("nothing to make: the run was deleted", suite=suite_id, run=run_id)
            return
        with self._runs.lock(run.name) as keep:
            if keep is None:
                return
            # As it stands now that nobody else changes it, but for being cancelled.
            run = self._runs.read.get(suite_id, run_id)
            if run.phase is RunPhase.WAITING:
                run = self._runs.promote(run)
            if run.phase in (RunPhase.RESOLVING, RunPhase.CANCELLED):
                self._make(suite, run, keep, too_large)

    def _make(self, suite: Suite, run: Run, keep: Callable[[], bool], too_large: bool) -> None:
        if run.phase is RunPhase.RESOLVING and not self._runs.is_listed(run):
            self._cancel_older(suite, run)
            resolution = self._resolved(suite, run, too_large)
            self._runs.list_members(run, resolution.members, resolution.notes, _reason(resolution))
            run = self._runs.read.get(run.suite, run.id)
        members, assigned = self._runs.read.members(run.name), self._runs.read.assigned(run.name)
        missing = [index for index in range(len(members)) if index not in assigned]
        for at in range(0, len(missing), _AT_A_TIME):
            if not keep():
                return
            chosen = {index: members[index] for index in missing[at : at + _AT_A_TIME]}
            run = self._runs.read.get(run.suite, run.id)
            self._assign(suite, run, chosen)
        self._runs.made(self._runs.read.get(run.suite, run.id))

    def _resolved(self, suite: Suite, run: Run, too_large: bool) -> Resolution:
        try:
            return self._resolver.resolve(suite, run.name)
        except RunTooLarge as error:
            if too_large:
                raise
            return Resolution(notes=[error.message])

    def _cancel_older(self, suite: Suite, run: Run) -> None:
        if run.trigger is not RunTrigger.SCHEDULE or suite.overlap is not Overlap.CANCEL_OLD:
            return
        for run_id in self._runs.read.active(suite.id):
            older = self._runs.read.get(suite.id, run_id)
            if older.trigger is RunTrigger.SCHEDULE and older.create_time < run.create_time:
                self.cancel(suite.id, run_id, f"{run.name} was due before it had finished")

    def _assign(self, suite: Suite, run: Run, members: Mapping[int, RunMember]) -> None:
        if run.phase is RunPhase.CANCELLED:
            cancelled = Assigned(state=AuditState.CANCELLED, reason=run.reason)
            self._runs.assign(run.name, dict.fromkeys(members, cancelled), {})
            return
        audits, verdicts = self._reused(suite, run, members)
        made = self._created(run, {index: each for index, each in members.items() if index not in audits})
        audits |= {index: each for index, each in made.items() if isinstance(each, Assigned)}
        records = {index: each for index, each in made.items() if isinstance(each, AuditRecord)}
        audits |= {index: Assigned(each.id) for index, each in records.items()}
        self._runs.assign(run.name, audits, verdicts)
        self._wake([each for each in records.values() if each.state is AuditState.QUEUED])

    def _reused(
        self, suite: Suite, run: Run, members: Mapping[int, RunMember]
    ) -> tuple[dict[int, Assigned], dict[int, str]]:
        """Return the earlier audit, and its verdict, of each member whose work was done already."""
        tool = "" if suite.always_audit or run.always_audit else self._works.tool()
        if not tool:
            return {}, {}
        works = [work_of(each.request.spec, [file.sha256 for file in each.files], tool) for each in members.values()]
        found = {index: done for index, done in zip(members, self._works.done(works), strict=True) if done[0]}
        audits = {index: Assigned(audit, reused=True) for index, (audit, _) in found.items()}
        return audits, {index: verdict for index, (_, verdict) in found.items()}

    def _created(self, run: Run, members: Mapping[int, RunMember]) -> dict[int, AuditRecord | Assigned]:
        """Create audits; of a member whose model was deleted since it was resolved, return that there is none."""
        if not members:
            return {}
        asked = [
            AuditToCreate(_labelled(each, run), f"{_OF_RUNS}{run.name}/{index}") for index, each in members.items()
        ]
        try:
            records = self._audits.create_many(asked, check_models=True, trace=run.trace)
            return dict(zip(members, records, strict=True))
        except ModelNotFound as error:
            if len(members) == 1:
                return dict.fromkeys(members, Assigned(reason=error.message))
        made: dict[int, AuditRecord | Assigned] = {}
        for index, each in members.items():
            made |= self._created(run, {index: each})
        return made

    def cancel(self, suite_id: str, run_id: str, reason: str) -> Run:
        """Cancel a run that has not finished, and its audits. Raises RunNotFound."""
        run = self._runs.cancel(suite_id, run_id, reason)
        if run.phase is RunPhase.CANCELLED:
            self.cancel_audits(run)
            # Members without an audit are ended here, unless another worker is making their audits: then it ends them.
            self.make(suite_id, run_id)
        return run

    def cancel_audits(self, run: Run) -> None:
        """Cancel the audits of a run that have not finished; those of an earlier run that it took over stay."""
        own = [each.audit for each in self._runs.read.assigned(run.name).values() if each.audit and not each.reused]
        self._audits.cancel_many([*own, *run.audits])


def _labelled(member: RunMember, run: Run) -> AuditRequest:
    """Return a request with the labels that all audits of a run have; they are kept once."""
    return msgspec.structs.replace(member.request, labels=run.labels)


def _reason(resolution: Resolution) -> str:
    if resolution.members:
        return ""
    return "; ".join(["nothing was audited", *resolution.notes])
