"""Claims about messages that no part of this service sends: each is dropped, and ends nothing."""

from __future__ import annotations

import base64
import json
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from celery import Celery
from kombu import Connection, Queue
from kombu.utils.json import loads

from dropaudit_client.local.service import free_port
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.errors import RecordTooNew
from dropaudit_store.records import AuditState, RecordedRef
from dropaudit_store.shared.task_names import AUDIT_TASK, CLEAN_TASK, QUEUE
from dropaudit_worker.queue.transport import Transport, check_message
from support.audits import ask, finished
from support.services import eventually, redis_server, worker

NOTHING_MORE = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def body(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def message(headers: dict[str, object] | None = None, properties: object = None, **changed: object) -> dict[str, Any]:
    """Return a message as Celery writes it, with changes; `...` leaves a field out."""
    tag = uuid.uuid4().hex
    sound = {
        "body": body([["a"], {}, NOTHING_MORE]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": AUDIT_TASK,
            "id": tag,
            "eta": None,
            "expires": None,
            "group": None,
            "retries": 0,
            "timelimit": [None, None],
            "root_id": tag,
            "parent_id": None,
            "stamped_headers": None,
            "stamps": {},
            **(headers or {}),
        },
        "properties": {
            "correlation_id": tag,
            "reply_to": "",
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": tag,
            **(properties if isinstance(properties, dict) else {}),
        },
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return _without_gaps(sound)


def _without_gaps(content: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _without_gaps(value) if isinstance(value, dict) else value
        for name, value in content.items()
        if value is not ...
    }


MALFORMED: dict[str, object] = {
    "a list": [],
    "a word": "x",
    "null": None,
    "a number": 7,
    "nothing": {},
    "no body": message(body=...),
    "a body of no base64": message(body="%%%"),
    "a body that is a number": message(body=7),
    "a body of no JSON": message(body=base64.b64encode(b"{").decode()),
    "a body of no text": message(body=base64.b64encode(b"\xff\xfe").decode()),
    "a body that is an object": message(body=body({})),
    "a body that is too short": message(body=body([["a"]])),
    "an id that is a number": message(body=body([[7], {}, NOTHING_MORE])),
    "an id that is a list": message(body=body([[["a"]], {}, NOTHING_MORE])),
    "a task that follows": message(body=body([["a"], {}, {**NOTHING_MORE, "chain": [{"task": "evil"}]}])),
    "no headers": {name: value for name, value in message().items() if name != "headers"},
    "headers that are a list": {**message(), "headers": []},
    "no task": message({"task": ...}),
    "a task that is a list": message({"task": []}),
    "no id": message({"id": ...}),
    "an id of the message that is a list": message({"id": []}),
    "a time limit of words": message({"timelimit": ["x", "y"]}),
    "a time limit below zero": message({"timelimit": [-1, None]}),
    "a time limit that is a number": message({"timelimit": 7}),
    "a time that is far away": message({"eta": "9999-12-31T23:59:59+00:00"}),
    "compressed": message({"compression": "application/x-gzip"}),
    "no properties": {**message(), "properties": None},
    "no tag": message(properties={"delivery_tag": ...}),
    "a tag that is a list": message(properties={"delivery_tag": []}),
    "no way": message(properties={"delivery_info": ...}),
    "an unknown encoding": message(properties={"body_encoding": "x"}),
    "a pickle": message(content_type="application/x-python-serialize"),
    "no type": message(content_type=...),
    "a type that is a list": message(content_type=[]),
}
# What is not even JSON, or not for long.
RAW = [b"", b"not json", b"\xff\xfe", b"[" * 100_000]


@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_no_message_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check_message(MALFORMED[kind])


def test_what_this_service_sends_is_taken(app: Celery, redis_client: redis.Redis) -> None:
    app.send_task(AUDIT_TASK, args=["a"], queue=QUEUE, priority=9, ignore_result=True)
    app.send_task(CLEAN_TASK, expires=5, ignore_result=True)
    found = [
        loads(str(each)) for name in redis_client.scan_iter(f"{QUEUE}*") for each in redis_client.lrange(name, 0, -1)
    ]
    assert len(found) == 2
    for each in found:
        check_message(each)
    check_message(message())


def test_a_worker_outlives_every_malformed_message_and_tells_of_each(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    inference = np.linspace(0.1, 1.0, 50)
    train = np.where(np.arange(50) % 2 == 0, 2 * inference, 0)
    tensors = BlobStore((tmp_path / "blobs").as_uri()).put_tensors([("inference", inference), ("train0", train)])
    store = AuditStore(redis_client)
    malformed = [*RAW, *(json.dumps(each).encode() for each in MALFORMED.values())]
    with worker(redis_url, tmp_path, reconcile_seconds=0.2, announce_seconds=0.2, log_level="WARNING") as running:
        for each in malformed:
            redis_client.lpush(QUEUE, each)
        # Tasks of other names, with other arguments, for audits that there are not.
        for name in ("evil", CLEAN_TASK, AUDIT_TASK):
            redis_client.lpush(QUEUE, json.dumps(message({"task": name})))
        record = finished(store, ask(store, RecordedRef(tensors=tensors, keep_prob=0.5)))
        time.sleep(1.0)
        assert running.exit_status() is None
    assert record.state is AuditState.SUCCEEDED
    log = next(tmp_path.glob("worker-*.log")).read_text(encoding="utf-8")
    assert log.count("a malformed message was dropped") == len(malformed)
    assert redis_client.hlen("unacked") == 0


def test_a_message_that_cannot_be_acknowledged_leaves_room_for_the_next(tmp_path: Path) -> None:
    port = free_port()
    with redis_server(tmp_path / "redis", port):
        connection = Connection(f"redis://127.0.0.1:{port}/0", transport=Transport)
        channel: Any = connection.channel()
        queue = Queue(QUEUE, channel=channel)
        queue.declare()
        channel.basic_qos(0, 1, False)
        channel.client.lpush(QUEUE, json.dumps(message()))
        taken = queue.get()
        assert taken is not None
        assert not channel.qos.can_consume()
    with pytest.raises(redis.ConnectionError):
        taken.ack()
    assert channel.qos.can_consume()


def test_a_message_of_another_version_is_taken_with_whatever_else_it_says() -> None:
    check_message(message())
    newer = message({"dropaudit_format": "1.9", "colour": "grey"}, body=body([["a"], {"hint": 1}, NOTHING_MORE]))
    check_message(newer)
    with pytest.raises(RecordTooNew, match=r"written by a newer version, in format 2\.0"):
        check_message(message({"dropaudit_format": "2.0"}))


def test_a_worker_makes_what_a_newer_version_asks_for_and_leaves_what_it_does_not_understand(
    redis_url: str, redis_client: redis.Redis, tmp_path: Path
) -> None:
    store = AuditStore(redis_client)
    inference = np.linspace(0.1, 1.0, 50)
    train = np.where(np.arange(50) % 2 == 0, 2 * inference, 0)
    tensors = BlobStore((tmp_path / "blobs").as_uri()).put_tensors([("inference", inference), ("train0", train)])
    asked = [ask(store, RecordedRef(tensors=tensors, keep_prob=0.5)) for _ in range(3)]
    redis_client.hset(f"dropaudit:audit:{asked[0]}", "format", "2.0")
    hinted = body([[asked[1]], {"hint": 1}, NOTHING_MORE])
    newer = [
        message(body=body([[asked[0]], {}, NOTHING_MORE])),
        message({"dropaudit_format": "1.9"}, body=hinted),
        message({"dropaudit_format": "2.0"}, body=body([[asked[2]], {}, NOTHING_MORE])),
    ]
    # Nothing is announced again before the end of the test.
    with worker(redis_url, tmp_path, reconcile_seconds=0.2, announce_seconds=600) as running:
        for each in newer:
            redis_client.lpush(QUEUE, json.dumps(each))
        assert finished(store, asked[1]).state is AuditState.SUCCEEDED
        log = next(tmp_path.glob("worker-*.log"))
        eventually(lambda: "left to workers of a newer version" in log.read_text("utf-8"), "the message is not told of")
        eventually(lambda: "left to a worker of a newer version" in log.read_text("utf-8"), "the audit is not told of")
        assert running.exit_status() is None
    assert store.get(asked[2]).state is AuditState.QUEUED
    assert redis_client.hget(f"dropaudit:audit:{asked[0]}", "state") == "QUEUED"
    assert redis_client.hlen("unacked") == 0


def test_commands_of_a_channel_share_a_client_for_as_long_as_their_pool_is_the_same(redis_url: str) -> None:
    with Connection(redis_url, transport=Transport) as connection:
        channel: Any = connection.default_channel
        with channel.conn_or_acquire() as one, channel.conn_or_acquire() as other:
            assert one is other
        channel._disconnect_pools()
        with channel.conn_or_acquire() as another:
            assert another is not one
            assert another.ping()
