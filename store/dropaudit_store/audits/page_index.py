"""Indexes that are read page by page: sorted sets whose members, all of score 0, begin with a sortable id."""

from __future__ import annotations

import redis

from dropaudit_store.errors import redis_errors
from dropaudit_store.redis.connection import texts

# Sort before and after every member.
FIRST, LAST = "-", "+"


def read(client: redis.Redis, key: str, count: int, *, after: str = "", descending: bool = True) -> list[str]:
    """Return the `count` members that follow `after`, from the newest or from the oldest on.

    What is added meanwhile moves nothing: the next page begins where this one ends.
    """
    with redis_errors():
        if descending:
            start = f"({after}" if after else LAST
            return texts(client.zrevrangebylex(key, start, FIRST, start=0, num=count))
        start = f"({after}" if after else FIRST
        return texts(client.zrangebylex(key, start, LAST, start=0, num=count))
