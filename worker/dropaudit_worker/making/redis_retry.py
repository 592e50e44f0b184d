"""Waits for a Redis that does not answer, so that results are not lost with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from dropaudit_store.errors import StorageFull, StoreUnavailable

T = TypeVar("T")

_PAUSE_SECONDS = 0.2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RedisRetry:
    """Retries for `seconds`; the call must be safe to repeat."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def insist(self, call: Callable[[], T]) -> T:
        """Return what a call returns. Raises StoreUnavailable or StorageFull once patience is at its end."""
        end = self.clock() + self.seconds
        while True:
            try:
                return call()
            except (StoreUnavailable, StorageFull) as error:
                if self.clock() >= end:
                    raise
                _log.warning("Redis does not take the write; trying again", reason=error.reason)
                self.sleep(_PAUSE_SECONDS)
