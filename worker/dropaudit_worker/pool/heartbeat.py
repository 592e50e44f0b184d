"""Keeps a lease for as long as its audit is being made, and hears when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context

import structlog

from dropaudit_store.audits.lifecycle import AuditStore, Lease
from dropaudit_store.errors import LeaseLost, StorageFull, StoreUnavailable

Leaving = Callable[[], bool]

_BEATS_PER_LEASE = 3
# How soon a holder hears that it is asked to stop.
_LONGEST_BEAT_SECONDS = 0.4

_log = structlog.get_logger(__name__)


class Heartbeat:
    """Extends a lease from a thread for as long as the audit is being made.

    `lost` is set when it cannot, `cancelled` when somebody asks the holder to stop.
    """

    def __init__(self, store: AuditStore, lease: Lease, lease_seconds: float, leaving: Leaving) -> None:
        self._store = store
        self._lease = lease
        self._lease_seconds = lease_seconds
        self._leaving = leaving
        self._stop = threading.Event()
        # What it logs tells the same as what its audit logs.
        run = copy_context().run
        self._thread = threading.Thread(target=run, args=(self._run,), name=f"heartbeat-{lease.audit_id}", daemon=True)
        self.lost = threading.Event()
        self.cancelled = threading.Event()

    def says_stop(self) -> bool:
        """Whether to go on is of no use."""
        return self.lost.is_set() or self.cancelled.is_set() or self._leaving()

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pause = min(self._lease_seconds / _BEATS_PER_LEASE, _LONGEST_BEAT_SECONDS)
        while not self._stop.wait(pause):
            if not self.lost.is_set():
                self._beat()

    def _beat(self) -> None:
        try:
            if not self._store.extend(self._lease, self._lease_seconds):
                self.cancelled.set()
        except LeaseLost:
            self.lost.set()
        except (StoreUnavailable, StorageFull):
            _log.warning("Redis does not answer; the lease may run out", audit=self._lease.audit_id)
