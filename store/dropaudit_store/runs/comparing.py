"""Compares two runs of a suite, member by member: whatever their size, a few reports are in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
import redis

from dropaudit.changes import MemberChange, NotMade, RunChange, Standing, combined, compare_members
from dropaudit.changes.members import Kind, Status
from dropaudit.report import Verdict
from dropaudit_store.audits.reader import AuditReader
from dropaudit_store.errors import redis_errors
from dropaudit_store.records import AuditState, Run
from dropaudit_store.redis.connection import key
from dropaudit_store.runs.documents import Told, comparison_of
from dropaudit_store.runs.outcomes import EXPIRED, Side, outcome_of
from dropaudit_store.runs.reader import RunReader
from dropaudit_store.runs.records import Assigned, MemberVerdict

_AT_A_TIME = 25


class RunComparer:
    """Compares runs, over the store."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._runs = RunReader(client)
        self._audits = AuditReader(client)

    def side(self, run: Run, verdicts: Mapping[str, MemberVerdict] | None = None) -> Side:
        """Return a run by the names of its members.

        Args:
            verdicts: what accepted findings make of members' reports, by index; without them what was concluded.
        """
        members, assigned = self._runs.members(run.name), self._runs.assigned(run.name)
        if verdicts is None:
            result = self._runs.result(run.name)
            verdicts = result.verdicts if result else {}
        names = [each.display_name for each in members]
        return Side(
            run,
            dict(zip(names, members, strict=True)),
            {name: assigned.get(index, Assigned()) for index, name in enumerate(names)},
            {names[int(index)]: each for index, each in verdicts.items()},
        )

    def compare(self, after: Side, before: Side | None) -> tuple[RunChange, dict[str, object]]:
        """Return what changed, and the same as a Comparison in its JSON form."""
        told = Told(base=before.run.name if before else "")
        if before is None:
            change = combined(self._first(after))
            change = msgspec.structs.replace(change, status=Status.FIRST, members=())
        else:
            change = combined(self._changes(after, before, told))
        return change, comparison_of(change, told, after.audit_of, before.audit_of if before else lambda _: "")

    def _first(self, after: Side) -> Iterator[MemberChange]:
        """Yield the members of a run that has nothing to be compared with, without a look at reports."""
        standings = self._audits.standings([each.audit for each in after.assigned.values()], summaries=False)
        for name in after.members:
            found = standings.get(after.audit_of(name))
            verdict = after.verdicts[name].verdict if name in after.verdicts else found.verdict if found else ""
            standing = Standing(verdict=Verdict(verdict)) if verdict else Standing(reason=AuditState.FAILED.value)
            yield MemberChange(member=name, kind=Kind.ADDED, status=Status.CHANGED, after=standing)

    def _changes(self, after: Side, before: Side, told: Told) -> Iterator[MemberChange]:
        names = [*after.members, *(name for name in before.members if name not in after.members)]
        comparisons = max(1, sum(name in before.members for name in after.members))
        same = {name for name in names if self._is_same(name, after, before)}
        yield from self._unchanged([name for name in names if name in same], after, told)
        others = [name for name in names if name not in same]
        for start in range(0, len(others), _AT_A_TIME):
            for change in self._compared(others[start : start + _AT_A_TIME], after, before, comparisons):
                told.add(change)
                yield change

    def _is_same(self, name: str, after: Side, before: Side) -> bool:
        """Whether a member's report is the one that it had, and is judged as it was."""
        audit = after.audit_of(name)
        return audit != "" and audit == before.audit_of(name) and after.verdicts.get(name) == before.verdicts.get(name)

    def _unchanged(self, names: Sequence[str], after: Side, told: Told) -> Iterator[MemberChange]:
        """Yield what is known without a look at reports: the verdicts of what did not change."""
        audits = [after.audit_of(name) for name in names]
        standings = self._audits.standings(audits, summaries=False)
        told.persisting += self._count_findings(audits)
        for name, audit in zip(names, audits, strict=True):
            found = standings.get(audit)
            verdict = after.verdicts[name].verdict if name in after.verdicts else found.verdict if found else ""
            standing = Standing(verdict=Verdict(verdict) if verdict else None, reason=None if verdict else EXPIRED)
            yield MemberChange(member=name, kind=Kind.KEPT, status=Status.UNCHANGED, before=standing, after=standing)

    def _count_findings(self, audits: Sequence[str]) -> int:
        """Return how many findings the reports of audits have, as far as lists tell them."""
        count = 0
        for start in range(0, len(audits), 500):
            with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
                for audit in audits[start : start + 500]:
                    pipe.hget(key("audit", audit), "brief")
                found = pipe.execute()
            count += sum(len(msgspec.json.decode(each).get("findings", ())) for each in found if each)
        return count

    def _compared(self, names: Sequence[str], after: Side, before: Side, comparisons: int) -> Iterator[MemberChange]:
        ids = {side.audit_of(name) for side in (after, before) for name in names} - {""}
        records = self._audits.find_many(ids)
        for name in names:
            old, new = (outcome_of(name, side, records) for side in (before, after))
            if isinstance(old, NotMade) and old.reason == EXPIRED and new is not None:
                # Its report is gone, so no finding can be called new or fixed.
                old = new
            yield compare_members(name, old, new, comparisons=comparisons)
