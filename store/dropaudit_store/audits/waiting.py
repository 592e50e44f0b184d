"""How long the queue is, in time."""

from __future__ import annotations

from typing import cast

import redis

from dropaudit_store.audits.terms import state_term
from dropaudit_store.errors import redis_errors
from dropaudit_store.records import AuditState
from dropaudit_store.redis.connection import key, texts


def oldest_waiting(client: redis.Redis) -> float | None:
    """Return when the oldest audit that waits was created, in seconds since the epoch; None where none waits.

    An audit that is queued again, since its worker was lost, is as old as before.
    """
    with redis_errors():
        # Ids sort by time.
        found = texts(client.zrange(key("index", state_term(AuditState.QUEUED)), 0, 0))
        created = client.hget(key("audit", found[0]), "create") if found else None
    return float(cast(str, created)) if created else None
