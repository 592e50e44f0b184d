"""Audits: created once, claimed with a lease, finished by whoever holds it, deleted when they are finished."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

import msgspec
import redis

from dropaudit.plan import Progress
from dropaudit.report import to_json
from dropaudit.shortening import brief, cut, shortened, shortened_list
from dropaudit_store.audits.course import UNKNOWN, Course
from dropaudit_store.audits.creation import AuditToCreate
from dropaudit_store.audits.ids import sortable_id
from dropaudit_store.audits.reader import AuditReader, record_of
from dropaudit_store.audits.terms import report_terms
from dropaudit_store.audits.totals import BOUNDS, PHASE_BOUNDS
from dropaudit_store.errors import (
    AuditNotFinished,
    AuditNotFound,
    LeaseLost,
    ModelNotFound,
    ModelRenamed,
    QueueFull,
    RecordTooNew,
    RequestIdReused,
    redis_errors,
)
from dropaudit_store.records import AuditRecord, AuditRequest, AuditState, Failure
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.disk_reserve import ANY_ROOM, Room
from dropaudit_store.redis.scripts import script
from dropaudit_store.runs.work import work_of
from dropaudit_store.shared.byte_limits import EVENT_BYTES, FAILURE_BYTES
from dropaudit_store.shared.formats import FORMAT, MAJOR

WORKER_LOST = "WORKER_LOST"
_AT_A_TIME = 500
_SILENT = "it stopped answering, and its lease ran out"


def _script(name: str) -> str:
    return script(f"audits/{name}", BOUNDS=BOUNDS, PHASE_BOUNDS=PHASE_BOUNDS, FORMAT=FORMAT, MAJOR=MAJOR)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to finish an audit: valid until it expires, and only with the newest token and its holder."""

    audit_id: str
    token: int
    record: AuditRecord
    holder: str = ""

    def __str__(self) -> str:
        """Return the lease as scripts take it."""
        return f"{self.token} {self.holder}"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of what the store holds.

    Attributes:
        queued: most audits that wait at a time; 0 for any number.
        retention_seconds: how long a finished audit is kept; 0 for good.
        room: what the disk under Redis must have for a new audit.
    """

    queued: int = 0
    retention_seconds: float = 0.0
    room: Room = ANY_ROOM


class AuditStore:
    """Audits in Redis. Every method raises StoreUnavailable when Redis is gone, StorageFull when it takes no more."""

    def __init__(
        self,
        client: redis.Redis,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
        *,
        instants: Callable[[], float] | None = None,
        tool: str = "",
    ) -> None:
        """Open a store.

        Args:
            clock: when new audits are made, as their ids say.
            limits: what the store holds.
            instants: the clock of leases and ends in the place of Redis's own.
            tool: what audits are made with here, so that the same work is found; empty: nobody is to find it.
        """
        self._redis = client
        self._clock = clock
        self._instants = instants
        self._tool = tool
        self._limits = limits or Limits()
        self.read = AuditReader(client)
        self._create = client.register_script(_script("create"))
        self._claim = client.register_script(_script("claim"))
        self._extend = client.register_script(_script("extend"))
        self._keep = client.register_script(_script("keep"))
        self._progress = client.register_script(_script("progress"))
        self._finish = client.register_script(_script("finish"))
        self._cancel = client.register_script(_script("cancel"))
        self._release = client.register_script(_script("release"))
        self._lose = client.register_script(_script("lose"))
        self._give_back = client.register_script(_script("give_back"))
        self._delete = client.register_script(_script("delete"))

    def create(self, request: AuditRequest, request_id: str = "") -> AuditRecord:
        """Store an audit as QUEUED; see `create_many`."""
        return self.create_many([AuditToCreate(request, request_id)])[0]

    def create_many(
        self,
        asked: Sequence[AuditToCreate],
        *,
        check_models: bool = False,
        names: Mapping[str, str] | None = None,
        trace: str = "",
    ) -> list[AuditRecord]:
        """Store audits as QUEUED, all or none. A `request_id` that is known returns its audit, whatever the race.

        Args:
            check_models: whether each model must be stored.
            names: what models are believed to be called, by SHA-256; looked at with their being stored.
            trace: the W3C traceparent of who asks, for whoever makes the audits.

        Raises:
            RequestIdReused: an id belongs to a different request.
            ModelNotFound: a model is not stored.
            ModelRenamed: a model is not called what it is believed to be.
            QueueFull: too many audits wait.
            RecordTooLarge: a request takes more than is kept of one.
        """
        self._limits.room.require()
        now = round(self._clock(), 3)
        records = {(new := sortable_id(now)): _new_record(new, each.request, now) for each in asked}
        items = (word for each, new in zip(asked, records, strict=True) for word in each.arguments(new))
        arguments: list[str | float] = [
            now,
            self._limits.queued,
            int(check_models),
            msgspec.json.encode(names or {}).decode(),
            len(asked),
            trace,
            *items,
        ]
        with redis_errors():
            outcome, *ids = texts(self._create(args=arguments))
        if outcome != "made":
            self._refuse(outcome, *ids)
        # A new one is known without asking; of an older one nobody knows how it stands by now.
        return [records[each] if each in records else self.get(each) for each in ids]

    def _refuse(self, outcome: str, fact: str = "") -> NoReturn:
        if outcome == "reused":
            raise RequestIdReused(fact)
        if outcome == "missing":
            raise ModelNotFound(f"models/{fact}")
        if outcome == "renamed":
            raise ModelRenamed(fact)
        raise QueueFull(self._limits.queued)

    def get(self, audit_id: str) -> AuditRecord:
        """Return an audit. Raises AuditNotFound."""
        return self.get_many([audit_id])[0]

    def get_many(self, audit_ids: Iterable[str]) -> list[AuditRecord]:
        """Return audits in the given order. Raises AuditNotFound."""
        return self.read.get_many(audit_ids)

    def find_many(self, audit_ids: Iterable[str]) -> dict[str, AuditRecord]:
        """Return those audits that exist, by id."""
        return self.read.find_many(audit_ids)

    def claim(self, audit_id: str, lease_seconds: float, holder: str = "") -> Lease | None:
        """Take a QUEUED audit; None when it is held, finished or gone.

        Args:
            holder: who takes it, a name for this one attempt: the same name again gets the same lease.
        """
        holder = holder or uuid.uuid4().hex
        with redis_errors():
            answer = self._claim(args=[audit_id, self._at(), self._at(lease_seconds), holder])
        if not answer:
            return None
        token, *fields = texts(answer)
        record = record_of(audit_id, dict(zip(fields[::2], fields[1::2], strict=True)))
        return Lease(audit_id, int(token), record, holder)

    def extend(self, lease: Lease, lease_seconds: float) -> bool:
        """Keep a lease for longer; False when its holder is asked to stop. Raises LeaseLost."""
        with redis_errors():
            answer = self._extend(args=[lease.audit_id, str(lease), self._at(lease_seconds)])
        _require(answer != "lost", lease)
        return bool(answer == "kept")

    def keep(self, audit_id: str, holder: str, lease_seconds: float) -> bool:
        """Keep the lease of a holder that is busy; False when somebody else holds the audit, or nobody.

        Args:
            holder: how the name that the audit was claimed with begins.
        """
        with redis_errors():
            return bool(self._keep(args=[audit_id, holder, self._at(lease_seconds)]))

    def progress(self, lease: Lease, progress: Progress) -> None:
        """Tell watchers how far an audit is. Raises LeaseLost."""
        document = to_json(progress)
        document["tests"], _ = shortened_list(document["tests"], "tests", EVENT_BYTES)
        payload = msgspec.json.encode(document).decode()
        with redis_errors():
            kept = self._progress(args=[lease.audit_id, str(lease), self._at(), payload])
        _require(kept, lease)

    def succeed(self, lease: Lease, report: dict[str, Any], course: Course = UNKNOWN) -> None:
        """Write the report and the state in one step. Raises LeaseLost: a late writer changes nothing.

        A report that is too large is shortened, and says so; what it can be found by is that of the whole.

        Args:
            course: how the audit was made, to be counted.
        """
        kept = shortened(report)
        content, told = (msgspec.json.encode(each).decode() for each in (kept, brief(kept)))
        execution = report.get("execution", {})
        contents = [str(each["sha256"]) for each in execution.get("artifacts", ())]
        work = work_of(lease.record.request.spec, contents, self._tool)
        counted = course.arguments(str(execution.get("provider", "")))
        made = [int(execution.get("replicates", 0)), told, work, *counted]
        self._end(lease, AuditState.SUCCEEDED, "report", content, report_terms(report), made)

    def fail(self, lease: Lease, failure: Failure) -> None:
        """Write why an audit could not be made. Raises LeaseLost."""
        kept = msgspec.structs.replace(failure, message=cut(failure.message, FAILURE_BYTES))
        self._end(lease, AuditState.FAILED, "failure", msgspec.json.encode(kept).decode())

    def stopped(self, lease: Lease) -> None:
        """Note that the holder has stopped as it was asked to. Raises LeaseLost."""
        self._end(lease, AuditState.CANCELLED)

    def _end(
        self,
        lease: Lease,
        state: AuditState,
        field: str = "",
        value: str = "",
        terms: Sequence[str] = (),
        made: Sequence[str | int] = (0,),
    ) -> None:
        args: list[str | float] = [lease.audit_id, str(lease), self._at(), state.value, field, value]
        with redis_errors():
            kept = self._finish(args=[*args, self._expiry(), "\n".join(terms), *made])
        _require(kept, lease)

    def cancel(self, audit_id: str) -> AuditRecord:
        """Cancel what waits and ask the holder of what runs to stop; what is finished stays. Raises AuditNotFound."""
        with redis_errors():
            self._cancel(args=[audit_id, self._at(), self._expiry()])
        return self.get(audit_id)

    def cancel_many(self, audit_ids: Sequence[str]) -> None:
        """Cancel audits as `cancel` does; what is finished, or gone, stays as it is."""
        expiry = self._expiry()
        for start in range(0, len(audit_ids), _AT_A_TIME):
            with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
                for audit_id in audit_ids[start : start + _AT_A_TIME]:
                    self._cancel(args=[audit_id, self._at(), expiry], client=pipe)
                pipe.execute()

    def delete(self, audit_id: str) -> None:
        """Delete a finished audit with its report and events. Raises AuditNotFound and AuditNotFinished."""
        with redis_errors():
            outcome = self._delete(args=[audit_id, self._at()])
        if not outcome:
            raise AuditNotFound(f"audits/{audit_id}")
        if outcome != "deleted":
            raise AuditNotFinished(audit_id, str(outcome))

    def delete_expired(self, limit: int = 100) -> int:
        """Delete audits whose time has come, and return how many those were."""
        now = self._now()
        with redis_errors():
            due = texts(self._redis.zrangebyscore(key("expiring"), "-inf", now, start=0, num=limit))
        for audit_id in due:
            with suppress(RecordTooNew), redis_errors():
                self._delete(args=[audit_id, now])
        return len(due)

    def release_expired(self, max_attempts: int, limit: int = 100) -> list[str]:
        """Queue audits whose lease has expired; those tried often enough end FAILED / WORKER_LOST.

        Returns:
            The ids that are QUEUED again.
        """
        with redis_errors():
            expired = texts(self._redis.zrangebyscore(key("running"), "-inf", self._now(), start=0, num=limit))
        return [each for each in expired if self._released(each, max_attempts) is AuditState.QUEUED]

    def _released(self, audit_id: str, max_attempts: int) -> AuditState | None:
        with suppress(RecordTooNew), redis_errors():
            # Whoever was lost just now said nothing; one before may have been heard.
            cause = str(self._redis.hget(_audit(audit_id), "cause") or _SILENT)
            state = self._release(args=self._losing(audit_id, max_attempts, cause))
            return AuditState(state) if state else None
        return None

    def lose(self, audit_id: str, holder: str, cause: str, max_attempts: int) -> AuditState | None:
        """Queue an audit whose holder is known to be gone, or end it FAILED / WORKER_LOST if tried often enough.

        Args:
            holder: how the name that the audit was claimed with begins.
            cause: what became of the holder.

        Returns:
            The new state; None when somebody else holds the audit by now, or nobody.
        """
        with redis_errors():
            state = self._lose(args=[*self._losing(audit_id, max_attempts, cause), holder, cause])
        return AuditState(state) if state else None

    def give_back(self, lease: Lease) -> AuditState:
        """Queue an audit again that its holder cannot end; no attempt is lost. Raises LeaseLost."""
        with redis_errors():
            state = self._give_back(args=[lease.audit_id, str(lease), self._at(), self._expiry()])
        _require(state, lease)
        return AuditState(state)

    def _losing(self, audit_id: str, max_attempts: int, cause: str) -> list[str | float]:
        workers = "1 worker was" if max_attempts == 1 else f"{max_attempts} workers were"
        failure = Failure(
            reason=WORKER_LOST, message=f"{workers} lost while making this audit; the last known cause: {cause}"
        )
        return [audit_id, self._at(), max_attempts, msgspec.json.encode(failure).decode(), self._expiry()]

    def count_waiting(self) -> int:
        """Return how many audits are QUEUED."""
        with redis_errors():
            return self._redis.zcard(key("queued"))

    def take_unannounced(self, older_than: float, limit: int = 100) -> list[str]:
        """Return QUEUED audits that nobody was told of for `older_than` seconds, and note that they are told now."""
        now, queued = self._now(), key("queued")
        with redis_errors():
            waiting = (
                texts(self._redis.zrangebyscore(queued, "-inf", now - older_than, start=0, num=limit)) if limit else []
            )
            if waiting:
                # XX: an audit that was claimed in between must not come back.
                self._redis.zadd(queued, dict.fromkeys(waiting, now), xx=True)
        return waiting

    def _now(self) -> float:
        """Return the time by Redis's clock."""
        if self._instants is not None:
            return round(self._instants(), 3)
        with redis_errors():
            seconds, microseconds = self._redis.time()
        return seconds + microseconds / 1e6

    def _at(self, seconds: float = 0.0) -> float | str:
        """Return an instant so many seconds from now, in whole milliseconds, as scripts take it."""
        return f"+{seconds}" if self._instants is None else round(self._instants() + seconds, 3)

    def _expiry(self) -> float | str:
        return self._at(self._limits.retention_seconds) if self._limits.retention_seconds else ""


def _new_record(audit_id: str, request: AuditRequest, now: float) -> AuditRecord:
    return AuditRecord(id=audit_id, request=request, state=AuditState.QUEUED, create_time=now)


def _audit(audit_id: str) -> str:
    return key("audit", audit_id)


def _require(kept: object, lease: Lease) -> None:
    if not kept:
        raise LeaseLost(lease.audit_id)
