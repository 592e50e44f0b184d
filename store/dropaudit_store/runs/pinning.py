"""Keeps a run, and its audits, for as long as it is pinned."""

from __future__ import annotations

import time
from collections.abc import Callable

import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.redis.connection import key, texts
from dropaudit_store.redis.scripts import script
from dropaudit_store.runs.reader import RunReader

_AT_A_TIME = 500


class Pins:
    """Pins runs.

    Args:
        keep_seconds: how long a run and its audits are kept that are not pinned; 0 for good.
    """

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time, keep_seconds: float = 0.0) -> None:
        self._redis = client
        self._clock = clock
        self._keep_seconds = keep_seconds
        self._read = RunReader(client)
        self._pin = client.register_script(script("runs/pin"))

    def pin(self, suite_id: str, run_id: str) -> None:
        """Keep a run and its audits, until they are let go. Raises RunNotFound."""
        run = self._read.get(suite_id, run_id)
        with redis_errors():
            for place in _keys(suite_id, run_id):
                self._redis.persist(place)
        self._each(self._audits(run.name, run.audits), "")

    def unpin(self, suite_id: str, run_id: str) -> None:
        """Let a run and its audits go when their time has come, from now on."""
        if not self._keep_seconds:
            return
        run = f"suites/{suite_id}/runs/{run_id}"
        with redis_errors():
            for place in _keys(suite_id, run_id):
                self._redis.expire(place, int(self._keep_seconds))
        self._each(self._audits(run, ()), self._clock() + self._keep_seconds)

    def _audits(self, name: str, old: tuple[str, ...]) -> list[str]:
        with redis_errors():
            found = texts(self._redis.hvals(key("run-audits", name)))
        return [*old, *(each.removeprefix("reused ") for each in found if not each.startswith("gone "))]

    def _each(self, audits: list[str], expire: float | str) -> None:
        for start in range(0, len(audits), _AT_A_TIME):
            with redis_errors():
                self._pin(args=[expire, *audits[start : start + _AT_A_TIME]])


def _keys(suite_id: str, run_id: str) -> list[str]:
    name = f"suites/{suite_id}/runs/{run_id}"
    parts = ("run-members", "run-audits", "run-counts", "run-result")
    return [key("run", suite_id, run_id), *(key(part, name) for part in parts)]
