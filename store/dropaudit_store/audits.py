"""Audits: created once, claimed with a lease, finished by whoever holds it."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import redis

from dropaudit.plan import Progress
from dropaudit.report import to_json
from dropaudit_store import scripts
from dropaudit_store.connection import key, texts
from dropaudit_store.errors import AuditNotFound, LeaseLost, RequestIdReused, redis_errors
from dropaudit_store.records import AuditRecord, AuditRequest, AuditState, Failure

WORKER_LOST = "WORKER_LOST"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to finish an audit: valid until it expires, and only with the newest token."""

    audit_id: str
    token: int
    record: AuditRecord


class AuditStore:
    """Audits in Redis. Every method raises StoreUnavailable when Redis is gone, StorageFull when it takes no more."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._clock = clock
        self._create = client.register_script(scripts.CREATE)
        self._claim = client.register_script(scripts.CLAIM)
        self._extend = client.register_script(scripts.EXTEND)
        self._progress = client.register_script(scripts.PROGRESS)
        self._finish = client.register_script(scripts.FINISH)
        self._release = client.register_script(scripts.RELEASE)

    def create(self, request: AuditRequest, request_id: str = "") -> AuditRecord:
        """Store an audit as QUEUED; the same `request_id` returns the audit it made first, whatever the race.

        Raises:
            RequestIdReused: the id belongs to a different request.
        """
        audit_id = uuid.uuid4().hex
        # Labels come in any order: equal requests must have equal bodies.
        body = msgspec.json.encode(request, order="deterministic").decode()
        digest = hashlib.sha256(body.encode()).hexdigest()
        keys = [_audit(audit_id), _events(audit_id), _QUEUED, _AUDITS, key("request", request_id) if request_id else ""]
        with redis_errors():
            found = self._create(keys=keys, args=[audit_id, body, self._clock(), digest])
        if not found:
            raise RequestIdReused(request_id)
        return self.get(str(found))

    def get(self, audit_id: str) -> AuditRecord:
        """Return an audit. Raises AuditNotFound."""
        with redis_errors():
            fields = cast(dict[str, str], self._redis.hgetall(_audit(audit_id)))
        if not fields:
            raise AuditNotFound(f"audits/{audit_id}")
        return _record(audit_id, fields)

    def claim(self, audit_id: str, lease_seconds: float) -> Lease | None:
        """Take a QUEUED audit; None when it is held, finished or gone."""
        now = self._clock()
        keys = [_audit(audit_id), _events(audit_id), _QUEUED, _RUNNING]
        with redis_errors():
            token = self._claim(keys=keys, args=[audit_id, now, now + lease_seconds])
        return None if not token else Lease(audit_id, int(token), self.get(audit_id))

    def extend(self, lease: Lease, lease_seconds: float) -> None:
        """Keep a lease for longer. Raises LeaseLost."""
        with redis_errors():
            kept = self._extend(
                keys=[_audit(lease.audit_id), _RUNNING],
                args=[lease.audit_id, lease.token, self._clock() + lease_seconds],
            )
        _require(kept, lease)

    def progress(self, lease: Lease, progress: Progress) -> None:
        """Tell watchers how far an audit is. Raises LeaseLost."""
        payload = msgspec.json.encode(to_json(progress)).decode()
        with redis_errors():
            kept = self._progress(
                keys=[_audit(lease.audit_id), _events(lease.audit_id)], args=[lease.token, self._clock(), payload]
            )
        _require(kept, lease)

    def succeed(self, lease: Lease, report: dict[str, Any]) -> None:
        """Write the report and the state in one step. Raises LeaseLost: a late writer changes nothing."""
        self._end(lease, AuditState.SUCCEEDED, "report", msgspec.json.encode(report).decode())

    def fail(self, lease: Lease, failure: Failure) -> None:
        """Write why an audit could not be made. Raises LeaseLost."""
        self._end(lease, AuditState.FAILED, "failure", msgspec.json.encode(failure).decode())

    def _end(self, lease: Lease, state: AuditState, field: str, value: str) -> None:
        keys = [_audit(lease.audit_id), _events(lease.audit_id), _RUNNING]
        args: list[str | float] = [lease.audit_id, lease.token, self._clock(), state.value, field, value]
        with redis_errors():
            kept = self._finish(keys=keys, args=args)
        _require(kept, lease)

    def release_expired(self, max_attempts: int, limit: int = 100) -> list[str]:
        """Queue audits whose lease has expired; those tried often enough end FAILED / WORKER_LOST.

        Returns:
            The ids that are QUEUED again.
        """
        with redis_errors():
            expired = texts(self._redis.zrangebyscore(_RUNNING, "-inf", self._clock(), start=0, num=limit))
        return [each for each in expired if self._released(each, max_attempts) is AuditState.QUEUED]

    def _released(self, audit_id: str, max_attempts: int) -> AuditState | None:
        failure = Failure(
            reason=WORKER_LOST,
            message=f"{max_attempts} workers were lost while they made this audit; look for a crash in their logs",
        )
        keys = [_audit(audit_id), _events(audit_id), _QUEUED, _RUNNING]
        verdict = msgspec.json.encode(failure).decode()
        with redis_errors():
            state = self._release(keys=keys, args=[audit_id, self._clock(), max_attempts, verdict])
        return AuditState(state) if state else None

    def take_unannounced(self, older_than: float, limit: int = 100) -> list[str]:
        """Return QUEUED audits that nobody was told of for `older_than` seconds, and note that they are told now."""
        now = self._clock()
        with redis_errors():
            waiting = texts(self._redis.zrangebyscore(_QUEUED, "-inf", now - older_than, start=0, num=limit))
            if waiting:
                # XX: an audit that was claimed in between must not come back.
                self._redis.zadd(_QUEUED, dict.fromkeys(waiting, now), xx=True)
        return waiting

    def get_many(self, audit_ids: Iterable[str]) -> list[AuditRecord]:
        """Return audits in the given order. Raises AuditNotFound."""
        return [self.get(audit_id) for audit_id in audit_ids]


def _audit(audit_id: str) -> str:
    return key("audit", audit_id)


def _events(audit_id: str) -> str:
    return key("events", audit_id)


_QUEUED, _RUNNING, _AUDITS = key("queued"), key("running"), key("audits")


def _require(kept: object, lease: Lease) -> None:
    if not kept:
        raise LeaseLost(lease.audit_id)


def _record(audit_id: str, fields: dict[str, str]) -> AuditRecord:
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
        report=msgspec.json.decode(fields["report"]) if "report" in fields else None,
        failure=msgspec.json.decode(fields["failure"], type=Failure) if "failure" in fields else None,
    )
