"""Makes one audit: claims it, makes it, writes its end."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

import structlog

from dropaudit.errors import AuditCancelled, AuditError, OutOfMemory
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress
from dropaudit.report import Report, to_json
from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.errors import LeaseLost, RecordTooNew, StorageFull, StoreUnavailable
from dropaudit_store.records import AuditRecord, AuditState, Failure, RecordedRef, SubjectRef
from dropaudit_store.shared.spans import trace_id
from dropaudit_worker.making.course_recorder import LOADING, CourseRecorder
from dropaudit_worker.making.redis_retry import RedisRetry
from dropaudit_worker.making.safe_failure import safe_failure
from dropaudit_worker.pool.heartbeat import Heartbeat, Leaving
from dropaudit_worker.sandbox.host import SandboxLost

T = TypeVar("T")
Load = Callable[[SubjectRef], T]
# Makes an audit; a failure is one that is not to be tried again.
Audit = Callable[[T, Plan, OnProgress, IsCancelled], Report | Failure]
# Tells a worker of an audit that was handed back.
Announce = Callable[[str], None]

_log = structlog.get_logger(__name__)


class AuditMaker(Generic[T]):
    """Makes audits under a lease. A repeated or late wake-up call for an audit does nothing.

    Args:
        announce: told of an audit that was handed back, so that somebody else takes it at once.
        leaving: whether this worker has been asked to stop.
        max_attempts: processes that may be lost over one audit.
        patience: how long it waits for a Redis that does not answer, before what it knows of an audit is lost.
        recorder: notes how each audit goes.
    """

    def __init__(
        self,
        store: AuditStore,
        load: Load[T],
        audit: Audit[T],
        lease_seconds: float,
        *,
        max_attempts: int,
        announce: Announce,
        leaving: Leaving,
        patience: RedisRetry,
        recorder: CourseRecorder | None = None,
    ) -> None:
        self._store = store
        self._load = load
        self._audit = audit
        self._lease_seconds = lease_seconds
        self._announce = announce
        self._leaving = leaving
        self._max_attempts = max_attempts
        self._patience = patience
        self._recorder = recorder or CourseRecorder()

    def make(self, audit_id: str, holder: str = "") -> None:
        """Make an audit that waits; its report or its failure is written with the change of state.

        Args:
            holder: a name for this attempt.
        """
        if self._leaving():
            self._announce(audit_id)
            return
        holder = holder or uuid.uuid4().hex
        try:
            lease = self._patience.insist(lambda: self._store.claim(audit_id, self._lease_seconds, holder))
        except RecordTooNew as error:
            _log.warning("the audit is left to a worker of a newer version", audit=audit_id, why=error.message)
            return
        if lease is None:
            _log.info("nothing to do: the audit is held or finished", audit=audit_id)
            return
        with _told_in_logs(lease), Heartbeat(self._store, lease, self._lease_seconds, self._leaving) as heartbeat:
            try:
                self._finish(lease, heartbeat)
            except LeaseLost:
                _log.warning("the lease was lost; another worker makes the audit", audit=audit_id)
            except SandboxLost as lost:
                self._lose(audit_id, holder, lost.cause)

    def _lose(self, audit_id: str, holder: str, cause: str) -> None:
        """Note that the process that ran the model is gone; the audit is retried, up to the limit of attempts."""
        _log.warning("a sandbox was lost in the middle of an audit", audit=audit_id, cause=cause)
        state = self._patience.insist(lambda: self._store.lose(audit_id, holder, cause, self._max_attempts))
        if state is AuditState.QUEUED:
            self._announce(audit_id)

    def _finish(self, lease: Lease, heartbeat: Heartbeat) -> None:
        try:
            outcome = self._outcome(lease, heartbeat)
        except AuditCancelled:
            self._leave(lease, heartbeat)
            return
        if isinstance(outcome, Failure):
            self._patience.insist(lambda: self._store.fail(lease, outcome))
            _log.info("the audit could not be made", audit=lease.audit_id, reason=outcome.reason)
        else:
            content, course = to_json(outcome), self._recorder.course()
            self._patience.insist(lambda: self._store.succeed(lease, content, course))
            _log.info("the audit is made", audit=lease.audit_id, verdict=outcome.verdict.value)

    def _leave(self, lease: Lease, heartbeat: Heartbeat) -> None:
        """End an audit that was interrupted, in the way that the interruption asks for."""
        if heartbeat.cancelled.is_set():
            self._patience.insist(lambda: self._store.stopped(lease))
            _log.info("the audit was cancelled", audit=lease.audit_id)
        elif heartbeat.lost.is_set() or not self._leaving():
            raise LeaseLost(lease.audit_id)
        elif self._patience.insist(lambda: self._store.give_back(lease)) is AuditState.QUEUED:
            _log.info("the audit is handed back: this worker stops", audit=lease.audit_id)
            self._announce(lease.audit_id)

    def _outcome(self, lease: Lease, heartbeat: Heartbeat) -> Report | Failure:
        """Return how the audit ended. Raises AuditCancelled when it was broken off."""

        def progress(state: Progress) -> None:
            self._recorder.enter(state.phase.value)
            try:
                self._store.progress(lease, state)
            except (StoreUnavailable, StorageFull):
                _log.warning("progress was not reported: Redis does not take it", audit=lease.audit_id)

        try:
            made = self._made(lease.record, progress, heartbeat.says_stop)
        except (AuditCancelled, LeaseLost, SandboxLost):
            raise
        except AuditError as error:
            return safe_failure(error)
        except MemoryError:
            return safe_failure(OutOfMemory())
        except Exception:
            _log.exception("the audit failed unexpectedly", audit=lease.audit_id)
            return Failure(reason="INTERNAL", message="the audit failed unexpectedly; the worker's log says why")
        if isinstance(made, Failure):
            return safe_failure(made)
        return made

    def _made(self, record: AuditRecord, progress: OnProgress, cancelled: IsCancelled) -> Report | Failure:
        spec = record.request.spec
        self._recorder.begin()
        try:
            self._recorder.enter(LOADING)
            subject = self._load(spec.subject)
            # Recorded outputs are judged at once, and tell no progress.
            first = Phase.JUDGING if isinstance(spec.subject, RecordedRef) else Phase.PREPARING
            self._recorder.enter(first.value)
            return self._audit(subject, spec.plan, progress, cancelled)
        finally:
            self._recorder.leave()


def _told_in_logs(lease: Lease) -> AbstractContextManager[None]:
    """Have every line of the log, also of what makes the audit, tell the audit, and the trace that it belongs to."""
    trace = trace_id(lease.record.trace)
    return structlog.contextvars.bound_contextvars(audit=lease.audit_id, **({"trace_id": trace} if trace else {}))
