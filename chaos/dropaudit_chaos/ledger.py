"""The ledger: the fate of every audit that was accepted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from dropaudit_chaos.crowd import Accepted
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.records import AuditRecord, AuditState
from dropaudit_store.redis.connection import key, texts


@dataclass(frozen=True, slots=True)
class Ledger:
    """The books after everything has ended.

    Attributes:
        accepted: audits that clients were told of.
        stored: audits that are stored.
        states: how many are in which state.
        lost: names that were accepted and are not there, or have not ended.
        unknown: ids that are stored, and that nobody was told of.
        wrong: what is wrong with an audit: two ends, no report, another report than a calm run's.
        attempts: how many audits were taken how often.
    """

    accepted: int
    stored: int
    states: Mapping[str, int]
    lost: tuple[str, ...]
    unknown: tuple[str, ...]
    wrong: tuple[str, ...]
    attempts: Mapping[int, int]

    @property
    def balances(self) -> bool:
        """Whether every accepted audit has one end and one report, the right one, and there is no other audit."""
        return not (self.lost or self.unknown or self.wrong) and self.accepted == self.stored > 0

    def rows(self, repeated: int) -> list[str]:
        """Return the books as a table of Markdown.

        Args:
            repeated: calls that clients had to make again.
        """
        return [
            "| audits | |",
            "|---|---|",
            f"| accepted | {self.accepted} |",
            f"| stored | {self.stored} |",
            *(f"| {state} | {count} |" for state, count in sorted(self.states.items())),
            f"| lost, or without an end | {len(self.lost)} |",
            f"| stored, and nobody was told of | {len(self.unknown)} |",
            f"| with two ends, or another report than the calm run's | {len(self.wrong)} |",
            f"| calls that had to be made again | {repeated} |",
        ]


def close_books(client: redis.Redis, accepted: Accepted, expected: Sequence[Mapping[int, object]]) -> Ledger:
    """Read every audit and compare.

    Args:
        expected: the report of each kind in a calm run, its times left out; one for each version of the code.
    """
    ids = {name.removeprefix("audits/"): kind for name, kind in accepted.kinds.items()}
    stored = texts(client.zrange(key("audits"), 0, -1))
    records = AuditStore(client).find_many(ids)
    wrong = [
        f"{each}: {fault}"
        for each, record in records.items()
        for fault in _faults(client, record, [reports[ids[each]] for reports in expected])
    ]
    ended = {each for each, record in records.items() if record.state.is_final}
    return Ledger(
        accepted=len(accepted.names),
        stored=len(stored),
        states=dict(Counter(record.state.value for record in records.values())),
        lost=tuple(sorted(set(ids) - ended)),
        unknown=tuple(sorted(set(stored) - set(ids))),
        wrong=tuple(wrong),
        attempts=dict(Counter(record.attempts for record in records.values())),
    )


def _faults(client: redis.Redis, record: AuditRecord, expected: Sequence[object]) -> list[str]:
    events: Any = client.xrange(f"{key('events')}:{record.id}")
    ends = sum(fields["kind"] == "finished" for _, fields in events)
    found = []
    if ends != 1:
        found.append(f"{ends} ends")
    if record.state is not AuditState.SUCCEEDED:
        found.append(f"{record.state.value} with {record.failure}")
    elif without_times(record.report) not in expected:
        found.append("another report than the calm run's")
    return found


def without_times(report: dict[str, Any] | None) -> object:
    """Return a report without how long it took."""
    if report is None:
        return None
    execution = {name: value for name, value in report["execution"].items() if name != "seconds"}
    return {**report, "execution": execution}
