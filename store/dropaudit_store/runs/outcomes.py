"""How the members of a run ended, a few of them in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import redis

from dropaudit.changes import NotMade, Outcome
from dropaudit.report import Report, from_json
from dropaudit_store.audits.reader import AuditReader
from dropaudit_store.records import AuditRecord, AuditState, Run
from dropaudit_store.runs.accepting import as_judged
from dropaudit_store.runs.records import Assigned, MemberVerdict, RunMember

EXPIRED = "EXPIRED"
_AT_A_TIME = 25


@dataclass(frozen=True)
class Side:
    """One run, by the names of its members.

    Attributes:
        verdicts: what accepted findings made of members' reports.
    """

    run: Run
    members: Mapping[str, RunMember] = field(default_factory=dict)
    assigned: Mapping[str, Assigned] = field(default_factory=dict)
    verdicts: Mapping[str, MemberVerdict] = field(default_factory=dict)

    def audit_of(self, name: str) -> str:
        """Return the audit of a member; empty where it has none."""
        return self.assigned.get(name, Assigned()).audit


class OutcomeReader:
    """Reads outcomes, over the store."""

    def __init__(self, client: redis.Redis) -> None:
        self._audits = AuditReader(client)

    def each(self, side: Side, names: Iterable[str], *, whole: bool) -> Iterator[tuple[str, Outcome]]:
        """Yield how members of a run ended, in the given order.

        Args:
            whole: whether with whole reports; otherwise with what lists tell of them: findings, no sites and outputs.
        """
        known = [name for name in names if name in side.members]
        for start in range(0, len(known), _AT_A_TIME):
            batch = known[start : start + _AT_A_TIME]
            records = self._records(list(dict.fromkeys(filter(None, map(side.audit_of, batch)))), whole=whole)
            for name in batch:
                found = outcome_of(name, side, records)
                if found is not None:
                    yield name, found

    def _records(self, ids: list[str], *, whole: bool) -> dict[str, AuditRecord]:
        records: dict[str, AuditRecord] = {}
        while ids:
            found, last = self._audits.page(ids, whole=whole)
            records |= {each.id: each for each in found}
            ids = ids[ids.index(last) + 1 :]
        return records


def outcome_of(name: str, side: Side, records: Mapping[str, AuditRecord]) -> Outcome | None:
    """Return how a member ended; None where it is not a member."""
    if name not in side.members:
        return None
    digests = tuple(each.sha256 for each in side.members[name].files if each.sha256)
    assigned = side.assigned[name]
    if not assigned.audit:
        state = assigned.state or AuditState.QUEUED
        return NotMade(reason=state.value, message=assigned.reason, digests=digests)
    record = records.get(assigned.audit)
    if record is None:
        return NotMade(reason=EXPIRED, message="the audit has expired", digests=digests)
    if record.report is not None:
        return as_judged(_report(record), side.verdicts.get(name))
    reason = record.failure.reason if record.failure else record.state.value
    return NotMade(reason=reason, message=record.failure.message if record.failure else "", digests=digests)


def _report(record: AuditRecord) -> Report:
    return from_json(record.report or {})
