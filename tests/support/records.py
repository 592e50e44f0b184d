"""Records that the service leaves in Redis."""

from __future__ import annotations

import base64
import json

import redis

from dropaudit_store.redis.connection import texts


def records(client: redis.Redis) -> set[str]:
    """Return the keys of records. Messages to workers are none: those of an earlier test may still arrive."""
    return set(map(str, client.scan_iter("dropaudit:*")))


def messages(client: redis.Redis) -> list[tuple[str, list[str], dict[str, object]]]:
    """Return the messages that wait for workers: task, arguments and named arguments."""
    found = map(json.loads, texts(client.lrange("dropaudit", 0, -1)))
    return [(each["headers"]["task"], *json.loads(base64.b64decode(each["body"]))[:2]) for each in found]
