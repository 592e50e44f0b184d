"""Finds what got lost: audits nobody was told of, audits whose worker is gone, suites whose schedule is not known,
and what nobody needs any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import redis
import structlog
from kombu.exceptions import OperationalError

from dropaudit_store.audits import AuditStore
from dropaudit_store.connection import key
from dropaudit_store.errors import StoreUnavailable, redis_errors
from dropaudit_store.records import Suite
from dropaudit_store.suites import SuiteStore

Wake = Callable[[str], None]
Sync = Callable[[Iterable[Suite]], None]
# Removes what has expired and what nothing refers to any more.
Clean = Callable[[], None]

_LOCK = key("reconciler")

_log = structlog.get_logger(__name__)


class Reconciler:
    """Every worker runs one; a lock in Redis lets one at a time look.

    Args:
        seconds: how often `look` is called; the lock lasts as long.
        announce_seconds: age at which a waiting audit is announced again.
    """

    def __init__(
        self,
        client: redis.Redis,
        audits: AuditStore,
        suites: SuiteStore,
        wake: Wake,
        sync: Sync,
        clean: Clean,
        *,
        seconds: float,
        announce_seconds: float,
        max_attempts: int,
    ) -> None:
        self._redis = client
        self._audits = audits
        self._suites = suites
        self._wake = wake
        self._sync = sync
        self._clean = clean
        self._seconds = seconds
        self._announce_seconds = announce_seconds
        self._max_attempts = max_attempts

    def look(self) -> None:
        """Look once, unless another worker has just looked. Redis being gone is noted, not raised."""
        try:
            if self._is_my_turn():
                self._look()
        except (StoreUnavailable, redis.RedisError, OperationalError):
            _log.warning("Redis does not answer; lost audits are looked for again later")

    def _is_my_turn(self) -> bool:
        with redis_errors():
            return bool(self._redis.set(_LOCK, "held", nx=True, px=max(1, int(self._seconds * 900))))

    def _look(self) -> None:
        for audit_id in self._audits.release_expired(self._max_attempts):
            _log.warning("a worker was lost; the audit is queued again", audit=audit_id)
            self._wake(audit_id)
        for audit_id in self._audits.take_unannounced(self._announce_seconds):
            self._wake(audit_id)
        self._sync(self._suites.every())
        self._clean()
