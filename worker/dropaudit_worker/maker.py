"""Makes one audit: claims it, makes it, writes its end."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from dropaudit.errors import AuditCancelled, AuditError
from dropaudit.plan import IsCancelled, OnProgress, Plan, Progress
from dropaudit.report import Report, to_json
from dropaudit.subjects import Subject
from dropaudit_store.audits import AuditStore, Lease
from dropaudit_store.errors import LeaseLost, StoreUnavailable
from dropaudit_store.records import AuditRecord, Failure, SubjectRef

Audit = Callable[[Subject, Plan, OnProgress, IsCancelled], Report]
Load = Callable[[SubjectRef], Subject]

_BEATS_PER_LEASE = 3
# How soon a holder hears that it is asked to stop.
_LONGEST_BEAT_SECONDS = 0.4

_log = structlog.get_logger(__name__)


class AuditMaker:
    """Makes audits under a lease. A repeated or late wake-up call for an audit does nothing."""

    def __init__(self, store: AuditStore, load: Load, audit: Audit, lease_seconds: float) -> None:
        self._store = store
        self._load = load
        self._audit = audit
        self._lease_seconds = lease_seconds

    def make(self, audit_id: str) -> None:
        """Make an audit that waits; its report or its failure is written with the change of state."""
        lease = self._store.claim(audit_id, self._lease_seconds)
        if lease is None:
            _log.info("nothing to do: the audit is held or finished", audit=audit_id)
            return
        with Heartbeat(self._store, lease, self._lease_seconds) as heartbeat:
            try:
                self._finish(lease, heartbeat)
            except LeaseLost:
                _log.warning("the lease was lost; somebody else makes the audit", audit=audit_id)

    def _finish(self, lease: Lease, heartbeat: Heartbeat) -> None:
        outcome = self._outcome(lease, heartbeat)
        if outcome is None:
            self._store.stopped(lease)
            _log.info("the audit was cancelled", audit=lease.audit_id)
        elif isinstance(outcome, Failure):
            self._store.fail(lease, outcome)
            _log.info("the audit could not be made", audit=lease.audit_id, reason=outcome.reason)
        else:
            self._store.succeed(lease, to_json(outcome))
            _log.info("the audit is made", audit=lease.audit_id, verdict=outcome.verdict.value)

    def _outcome(self, lease: Lease, heartbeat: Heartbeat) -> Report | Failure | None:
        """Return how the audit ended, None when it was cancelled."""

        def progress(state: Progress) -> None:
            self._store.progress(lease, state)

        try:
            return self._made(lease.record, progress, heartbeat.says_stop)
        except AuditCancelled as error:
            if heartbeat.cancelled.is_set():
                return None
            raise LeaseLost(lease.audit_id) from error
        except (LeaseLost, StoreUnavailable):
            raise
        except AuditError as error:
            return Failure(reason=error.reason, message=error.message)
        except Exception:
            _log.exception("the audit failed unexpectedly", audit=lease.audit_id)
            return Failure(reason="INTERNAL", message="the audit failed unexpectedly; the worker's log says why")

    def _made(self, record: AuditRecord, progress: OnProgress, cancelled: IsCancelled) -> Report:
        spec = record.request.spec
        return self._audit(self._load(spec.subject), spec.plan, progress, cancelled)


class Heartbeat:
    """Extends a lease from a thread for as long as the audit is being made.

    `lost` is set when it cannot, `cancelled` when somebody asks the holder to stop.
    """

    def __init__(self, store: AuditStore, lease: Lease, lease_seconds: float) -> None:
        self._store = store
        self._lease = lease
        self._lease_seconds = lease_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{lease.audit_id}", daemon=True)
        self.lost = threading.Event()
        self.cancelled = threading.Event()

    def says_stop(self) -> bool:
        """Whether to go on is of no use."""
        return self.lost.is_set() or self.cancelled.is_set()

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(min(self._lease_seconds / _BEATS_PER_LEASE, _LONGEST_BEAT_SECONDS)):
            try:
                if not self._store.extend(self._lease, self._lease_seconds):
                    self.cancelled.set()
            except LeaseLost:
                self.lost.set()
                return
            except StoreUnavailable:
                _log.warning("Redis does not answer; the lease may run out", audit=self._lease.audit_id)
