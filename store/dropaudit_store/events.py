"""What happened to an audit, as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import redis.asyncio

from dropaudit_store.connection import key
from dropaudit_store.errors import redis_errors
from dropaudit_store.records import AuditState

_BLOCK_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The audit entered a state that is not final."""

    sequence: int
    time: float
    state: AuditState


@dataclass(frozen=True, slots=True)
class Progressed:
    """A running audit went on; `progress` is the JSON form of the message Progress."""

    sequence: int
    time: float
    progress: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finished:
    """The audit reached a final state; nothing follows."""

    sequence: int
    time: float


Event = StateChanged | Progressed | Finished


class EventReader:
    """Follows the events of audits."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client

    async def follow(self, audit_id: str, after_sequence: int = 0) -> AsyncIterator[Event]:
        """Yield the events after a sequence number, waiting for new ones, up to and including Finished.

        Where Finished itself is not after that number, nothing is left to yield. The caller makes sure that the audit
        exists. Raises StoreUnavailable when Redis is gone.
        """
        stream, last = key("events", audit_id), f"{after_sequence}-0"
        while True:
            with redis_errors():
                answer: Any = await self._redis.xread({stream: last}, block=_BLOCK_MILLISECONDS, count=100)
            entries = _entries(answer)
            for last, fields in entries:
                event = _event(last, fields)
                yield event
                if isinstance(event, Finished):
                    return
            if not entries and await self._is_over(stream):
                return

    async def _is_over(self, stream: str) -> bool:
        with redis_errors():
            newest: Any = await self._redis.xrevrange(stream, count=1)
        return all(isinstance(_event(*entry), Finished) for entry in newest)


def _entries(answer: Any) -> list[tuple[str, dict[str, str]]]:
    """Return the entries of the one stream that was read."""
    # redis-py gives a list of pairs under RESP2 and a dictionary under RESP3.
    pairs = answer.items() if isinstance(answer, dict) else (answer or [])
    return [entry for _, found in pairs for entry in (found[0] if found and isinstance(found[0], list) else found)]


def _event(entry_id: str, fields: dict[str, str]) -> Event:
    sequence, time = int(entry_id.partition("-")[0]), float(fields["time"])
    if fields["kind"] == "state":
        return StateChanged(sequence, time, AuditState(fields["payload"]))
    if fields["kind"] == "progress":
        return Progressed(sequence, time, msgspec.json.decode(fields["payload"]))
    return Finished(sequence, time)
