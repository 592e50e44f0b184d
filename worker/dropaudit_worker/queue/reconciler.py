"""Finds what got lost: audits that were not announced, audits whose worker is gone, runs that stopped half way, and
content that nothing refers to any more."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Protocol

import redis
import structlog
from kombu.exceptions import OperationalError

from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.errors import StoreError, redis_errors
from dropaudit_store.redis.connection import key
from dropaudit_store.redis.scripts import script

# Goes on with runs that got stuck.
KeepRuns = Callable[[], None]
# Removes what has expired and what nothing refers to any more.
Clean = Callable[[], None]

_LOCK = key("reconciler")
# Seconds after which a reconciler that was lost in the middle of a look is replaced.
_LONGEST_LOOK_SECONDS = 10.0
_MOST_ANNOUNCED = 100


class SendsMessages(Protocol):
    """Messages to workers."""

    def wake(self, audit_id: str, /) -> None:
        """Tell a worker of an audit."""
        ...

    def count(self) -> int:
        """Return how many messages wait for a worker."""
        ...


_log = structlog.get_logger(__name__)


class Reconciler:
    """Every worker runs one; a lock in Redis lets one at a time look.

    Args:
        seconds: how often `look` is called; who has looked leaves the lock for as long.
        announce_seconds: age at which a waiting audit is announced again, if fewer messages wait than audits.
    """

    def __init__(
        self,
        client: redis.Redis,
        audits: AuditStore,
        messages: SendsMessages,
        keep_runs: KeepRuns,
        clean: Clean,
        *,
        seconds: float,
        announce_seconds: float,
        max_attempts: int,
    ) -> None:
        self._redis = client
        self._audits = audits
        self._messages = messages
        self._keep_runs = keep_runs
        self._clean = clean
        self._seconds = seconds
        self._announce_seconds = announce_seconds
        self._max_attempts = max_attempts
        self._leave = client.register_script(script("locks/leave"))

    def look(self) -> None:
        """Look once, unless another worker has just looked. Redis being gone is noted, not raised."""
        began, token = time.monotonic(), uuid.uuid4().hex
        try:
            if not self._is_my_turn(token):
                return
            try:
                self._look()
            finally:
                self._leave_to_others(token, began)
        except (StoreError, redis.RedisError, OperationalError, OSError):
            _log.warning("Redis does not answer; lost audits are looked for again later")

    def _is_my_turn(self, token: str) -> bool:
        with redis_errors():
            longest = max(_LONGEST_LOOK_SECONDS, self._seconds)
            return bool(self._redis.set(_LOCK, token, nx=True, px=int(longest * 1000)))

    def _leave_to_others(self, token: str, began: float) -> None:
        left = 0.9 * self._seconds - (time.monotonic() - began)
        with redis_errors():
            self._leave(keys=[_LOCK], args=[token, max(1, int(left * 1000))])

    def _look(self) -> None:
        for audit_id in self._audits.release_expired(self._max_attempts):
            _log.warning("a worker was lost; the audit is queued again", audit=audit_id)
            self._messages.wake(audit_id)
        # An audit whose message is lost waits in vain. Counting says how many messages are lost, not which.
        lost = self._audits.count_waiting() - self._messages.count()
        for audit_id in self._audits.take_unannounced(self._announce_seconds, min(max(lost, 0), _MOST_ANNOUNCED)):
            self._messages.wake(audit_id)
        self._keep_runs()
        self._clean()
