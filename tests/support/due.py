"""Lets a suite be due without waiting for it."""

from __future__ import annotations

import time

import msgspec
import redis

from dropaudit_store.records import Suite
from dropaudit_store.redis.connection import key


def make_due(client: redis.Redis, suite_id: str) -> None:
    """Let a stored suite have been due at the last full minute, and no more today."""
    place = key("suite", suite_id)
    suite = msgspec.json.decode(str(client.get(place)), type=Suite)
    due = time.gmtime(time.time() // 60 * 60)
    cron = f"{due.tm_min} {due.tm_hour} {due.tm_mday} {due.tm_mon} *"
    changed = msgspec.structs.replace(suite, cron=cron, scheduled_since=time.time() - 120)
    client.set(place, msgspec.json.encode(changed, order="deterministic"))
