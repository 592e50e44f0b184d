"""Claims about wake-up calls: a batch of any size is sent whole and in its order, and making ready sends none."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import redis

from dropaudit.plan import Plan
from dropaudit_client.local.service import free_port
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_store.records import ArtifactRef, AuditRecord, AuditRequest, AuditState, Spec
from dropaudit_store.redis.connection import connect
from dropaudit_store.shared.task_names import QUEUE
from support.services import eventually, redis_server

REQUEST = AuditRequest(spec=Spec(subject=ArtifactRef(model="a" * 64), plan=Plan()))


def told_of(client: redis.Redis) -> list[str]:
    """Return the audits that messages tell of, the first that was sent first."""
    messages = [json.loads(each) for each in reversed(client.lrange(QUEUE, 0, -1))]
    return [json.loads(base64.b64decode(each["body"]))[0][0] for each in messages]


def test_more_calls_than_are_sent_at_a_time_all_arrive_in_order(redis_url: str, redis_client: redis.Redis) -> None:
    ids = [f"{number:03}" for number in range(120)]
    wake_ups = WakeUps(redis_url)
    wake_ups.audits([AuditRecord(id=each, request=REQUEST, state=AuditState.QUEUED, create_time=0.0) for each in ids])
    wake_ups.close()
    assert told_of(redis_client) == ids


def test_making_ready_for_the_first_call_sends_none(redis_url: str, redis_client: redis.Redis) -> None:
    WakeUps(redis_url).close()
    assert told_of(redis_client) == []


def test_calls_that_could_not_be_sent_are_sent_once_redis_is_there(tmp_path: Path) -> None:
    port = free_port()
    wake_ups = WakeUps(f"redis://127.0.0.1:{port}/0")
    ids = ["a", "b"]
    wake_ups.audits([AuditRecord(id=each, request=REQUEST, state=AuditState.QUEUED, create_time=0.0) for each in ids])
    with redis_server(tmp_path, port) as url, connect(url) as client:
        eventually(lambda: told_of(client) == ids, "the calls were not sent")
        wake_ups.close()
        assert told_of(client) == ids


def test_calls_that_cannot_be_sent_are_given_up() -> None:
    wake_ups = WakeUps("redis://127.0.0.1:1/0")
    wake_ups.audits([AuditRecord(id="a", request=REQUEST, state=AuditState.QUEUED, create_time=0.0)])
    wake_ups.close()
