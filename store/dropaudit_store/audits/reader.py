"""Reads audits: all of one, what lists tell of many, or only how they stand. Memory is bounded whatever was stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import redis

from dropaudit.shortening import REPORT_BYTES, brief, cut, shortened
from dropaudit_store.audits.terms import verdict_term
from dropaudit_store.errors import AuditNotFound, redis_errors
from dropaudit_store.records import AuditRecord, AuditRequest, AuditState, Failure
from dropaudit_store.redis.connection import key
from dropaudit_store.shared.byte_limits import NAME_BYTES, READ_BYTES
from dropaudit_store.shared.formats import FIRST, require_known

_FACTS = ("format", "request", "state", "attempts", "create", "start", "end", "expire", "failure", "trace", "brief")
_STANDING = ("format", "state", "end", "terms", "failure", "brief")
_VERDICT = verdict_term("")
_AT_A_TIME = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """How an audit stands; `verdict` is empty until it has succeeded, `summary` where it was not asked for."""

    state: AuditState
    end_time: float | None
    verdict: str
    summary: str


class AuditReader:
    """Audits in Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def get_many(self, audit_ids: Iterable[str]) -> list[AuditRecord]:
        """Return audits in the given order. Raises AuditNotFound."""
        return [_existing(audit_id, found) for audit_id, found in self._found(audit_ids)]

    def find_many(self, audit_ids: Iterable[str]) -> dict[str, AuditRecord]:
        """Return those audits that exist, by id."""
        return {audit_id: record_of(audit_id, found) for audit_id, found in self._found(audit_ids) if found}

    def page(self, audit_ids: Sequence[str], *, whole: bool) -> tuple[list[AuditRecord], str]:
        """Return as many of the audits as may be read at a time, and the last id looked at; some may be gone.

        Args:
            whole: whether with the whole report; otherwise with what lists tell of it.
        """
        fitting = audit_ids[: self._count_fitting(audit_ids, "report" if whole else "brief")]
        records = self.find_many(fitting) if whole else self._brief(fitting)
        return list(records.values()), fitting[-1] if fitting else ""

    def standings(self, audit_ids: Sequence[str], *, summaries: bool) -> dict[str, Standing]:
        """Return how those audits stand that exist, by id."""
        found = {}
        fields = _STANDING if summaries else _STANDING[:-2]
        for start in range(0, len(audit_ids), _AT_A_TIME):
            for audit_id, facts in self._facts(audit_ids[start : start + _AT_A_TIME], fields):
                require_known(facts.get("format", FIRST), f"audits/{audit_id}")
                found[audit_id] = _standing(facts)
        return found

    def _found(self, audit_ids: Iterable[str]) -> list[tuple[str, dict[str, str]]]:
        ids = list(audit_ids)
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for audit_id in ids:
                pipe.hgetall(key("audit", audit_id))
            return list(zip(ids, cast(list[dict[str, str]], pipe.execute()), strict=True))

    def _count_fitting(self, audit_ids: Sequence[str], report: str) -> int:
        """Return how many of the audits, from the first on, may be read at a time; one at least."""
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for audit_id in audit_ids:
                pipe.hstrlen(key("audit", audit_id), "request")
                pipe.hstrlen(key("audit", audit_id), report)
            sizes = cast(list[int], pipe.execute())
        total = 0
        for position in range(len(audit_ids)):
            total += sum(sizes[2 * position : 2 * position + 2])
            if total > READ_BYTES:
                return max(1, position)
        return len(audit_ids)

    def _brief(self, audit_ids: Sequence[str]) -> dict[str, AuditRecord]:
        records = {}
        for audit_id, facts in self._facts(audit_ids, _FACTS):
            told = facts.pop("brief", None)
            if told is not None:
                facts["report"] = told
            records[audit_id] = self._as_before(record_of(audit_id, facts))
        return records

    def _as_before(self, record: AuditRecord) -> AuditRecord:
        """Return a record with the report that an earlier version stored, which noted nothing apart for lists."""
        if record.state is not AuditState.SUCCEEDED or record.report is not None:
            return record
        with redis_errors():
            report = self._redis.hget(key("audit", record.id), "report")
        return msgspec.structs.replace(record, report=brief(_report(str(report)))) if report else record

    def _facts(self, audit_ids: Sequence[str], fields: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield those audits that exist, each with those of the fields that it has."""
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for audit_id in audit_ids:
                pipe.hmget(key("audit", audit_id), *fields)
            answers = cast(list[list[str | None]], pipe.execute())
        for audit_id, values in zip(audit_ids, answers, strict=True):
            facts = {name: value for name, value in zip(fields, values, strict=True) if value is not None}
            if facts:
                yield audit_id, facts


def _standing(facts: Mapping[str, str]) -> Standing:
    terms = facts.get("terms", "").split("\n")
    summary = ""
    if "failure" in facts:
        summary = msgspec.json.decode(facts["failure"], type=Failure).message
    elif "brief" in facts:
        summary = str(msgspec.json.decode(facts["brief"])["summary"])
    return Standing(
        state=AuditState(facts["state"]),
        end_time=float(facts["end"]) if "end" in facts else None,
        verdict=next((term.removeprefix(_VERDICT) for term in terms if term.startswith(_VERDICT)), ""),
        summary=cut(summary, NAME_BYTES),
    )


def _existing(audit_id: str, fields: dict[str, str]) -> AuditRecord:
    if not fields:
        raise AuditNotFound(f"audits/{audit_id}")
    return record_of(audit_id, fields)


def record_of(audit_id: str, fields: Mapping[str, str]) -> AuditRecord:
    """Return an audit from the fields that Redis keeps of it. Raises RecordTooNew."""
    require_known(fields.get("format", FIRST), f"audits/{audit_id}")

    def seconds(name: str) -> float | None:
        return float(fields[name]) if name in fields else None

    return AuditRecord(
        id=audit_id,
        request=msgspec.json.decode(fields["request"], type=AuditRequest),
        state=AuditState(fields["state"]),
        attempts=int(fields["attempts"]),
        create_time=float(fields["create"]),
        start_time=seconds("start"),
        end_time=seconds("end"),
        expire_time=seconds("expire"),
        report=_report(fields["report"]) if "report" in fields else None,
        failure=msgspec.json.decode(fields["failure"], type=Failure) if "failure" in fields else None,
        trace=fields.get("trace", ""),
    )


def _report(content: str) -> dict[str, Any]:
    """Read a report. One that an earlier version stored may be of any size."""
    found: dict[str, Any] = msgspec.json.decode(content)
    return found if len(content) <= REPORT_BYTES else shortened(found)
