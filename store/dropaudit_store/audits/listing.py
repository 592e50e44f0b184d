"""Lists audits by condition, a page at a time, over indexes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import redis

from dropaudit_store.audits import conditions
from dropaudit_store.audits.conditions import EVERYTHING, Condition
from dropaudit_store.audits.ids import first_id
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.terms import state_term
from dropaudit_store.errors import redis_errors
from dropaudit_store.records import AuditRecord, AuditState
from dropaudit_store.redis.connection import key, texts

# How many audits a page looks at: where few fulfil the condition it ends early, and the next one goes on.
_MOST_LOOKED_AT = 2000
_LOOK_AT = 200


@dataclass(frozen=True, slots=True)
class Query:
    """Which audits, and in which order; `after` is the cursor of the page before."""

    condition: Condition = EVERYTHING
    descending: bool = True
    after: str = ""


class AuditList:
    """Audits in the order of their creation."""

    def __init__(self, client: redis.Redis, audits: AuditStore) -> None:
        self._redis = client
        self._audits = audits

    def page(self, query: Query, count: int, *, whole: bool = True) -> tuple[list[AuditRecord], str]:
        """Return at most `count` audits, and the cursor of the next page; empty at the end.

        A page may be short, or empty, with more to follow. Audits that are created meanwhile move nothing.

        Args:
            whole: whether with whole reports; otherwise with what lists tell of them.
        """
        ids, cursor = self._page(query, count)
        records, last = self._audits.read.page(ids, whole=whole)
        return records, cursor if not ids or last == ids[-1] else last

    def _page(self, query: Query, count: int) -> tuple[list[str], str]:
        indexes = self._indexes(query.condition)
        # A filter that an index answers alone needs no audit to be read; one entry more tells whether a page follows.
        batch = count + 1 if query.condition == EVERYTHING or isinstance(query.condition, conditions.Has) else _LOOK_AT
        found: list[str] = []
        cursor, looked_at = query.after, 0
        while looked_at < _MOST_LOOKED_AT:
            ids = self._read(indexes, query, cursor, batch)
            for audit_id in self._fulfilling(query.condition, ids):
                if len(found) == count:
                    return found, found[-1]
                found.append(audit_id)
            if len(ids) < batch:
                return found, ""
            cursor, looked_at = ids[-1], looked_at + batch
        return found, cursor

    def counts(self) -> dict[str, int]:
        """Return how many audits are in each state."""
        states = list(AuditState)
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for state in states:
                pipe.zcard(key("index", state_term(state)))
            return {state.value: int(found) for state, found in zip(states, pipe.execute(), strict=True)}

    def _indexes(self, condition: Condition) -> list[str]:
        @cache
        def size(term: str) -> int:
            return int(self._redis.zcard(key("index", term)))

        with redis_errors():
            terms = conditions.cover(condition, size)
        return [key("audits")] if terms is None else [key("index", term) for term in sorted(terms)]

    def _read(self, indexes: list[str], query: Query, cursor: str, count: int) -> list[str]:
        """Return the next `count` ids that any of the indexes holds."""
        earliest, latest = conditions.between(query.condition)
        low = f"[{first_id(math.floor(earliest))}"
        high = "+" if latest == math.inf else f"({first_id(math.floor(latest) + 1)}"
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for index in indexes:
                if query.descending:
                    pipe.zrevrangebylex(index, f"({cursor}" if cursor else high, low, start=0, num=count)
                else:
                    pipe.zrangebylex(index, f"({cursor}" if cursor else low, high, start=0, num=count)
            merged = {audit_id for ids in pipe.execute() for audit_id in texts(ids)}
        return sorted(merged, reverse=query.descending)[:count]

    def _fulfilling(self, condition: Condition, ids: list[str]) -> list[str]:
        with redis_errors(), self._redis.pipeline(transaction=False) as pipe:
            for audit_id in ids:
                pipe.hmget(key("audit", audit_id), "state", "terms", "create")
            facts = cast(list[list[Any]], pipe.execute())
        return [audit_id for audit_id, fact in zip(ids, facts, strict=True) if _fulfils(condition, *fact)]


def _fulfils(condition: Condition, state: str | None, terms: str | None, created: str | None) -> bool:
    """Whether an audit fulfils a condition; one that was deleted meanwhile does not."""
    if state is None or created is None:
        return False
    every = frozenset((state_term(AuditState(state)), *(terms or "").split("\n")))
    return conditions.fulfils(condition, every, round(float(created) * 1000))
