"""Claims about an audit that somebody waits for, behind thousands that nobody does.

`make throughput` has ten thousand.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from dropaudit.plan import Plan
from dropaudit.subjects import RecordedSubject
from dropaudit_client import AuditClient
from dropaudit_client.resources import NewAudit, Priority
from dropaudit_models.seed_case import seed_case
from support.services import server, worker

pytestmark = pytest.mark.system

_BATCHES, _SIZE = 3, 1000


def test_an_interactive_audit_behind_thousands_of_a_batch_starts_within_two_seconds(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    with (
        server(redis_url, tmp_path) as address,
        worker(redis_url, tmp_path, concurrency=1, announce_seconds=600),
        AuditClient(address, timeout=60.0) as client,
    ):
        subject = client.store_subject(seed_case())
        assert isinstance(subject, RecordedSubject)
        asked = NewAudit(subject, Plan(), priority=Priority.BATCH)
        for _ in range(_BATCHES):
            client.create_audits([asked] * _SIZE)
        interactive = client.wait(client.create_audit(subject).name)
        waiting = redis_client.zcard("dropaudit:queued")
    assert waiting > 0.5 * _BATCHES * _SIZE
    assert interactive.start_time is not None
    assert interactive.create_time is not None
    assert (interactive.start_time - interactive.create_time).total_seconds() < 2.0
