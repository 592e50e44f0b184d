"""Lets many watch audits at the cost of one reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import redis.asyncio

from dropaudit.errors import AuditError
from dropaudit_store.audits.events import Event, Finished, read_event
from dropaudit_store.errors import AuditNotFound, StoreError, redis_errors
from dropaudit_store.redis.connection import key

# How long one read waits; it is broken off when somebody begins to watch something else. Shorter than Redis may take
# to answer.
_BLOCK_MILLISECONDS = 2000
# Those who begin to watch within this time are taken up together.
_GATHER_SECONDS = 0.001
_DELETED = key("deleted")
# How long a watcher hears nothing before it looks by itself.
_PATIENCE_SECONDS = 15.0
# Who lags behind reads the stream again instead of keeping more.
_MOST_WAITING = 256


class _Watcher:
    """Events that one watcher has not received yet; `missed` is set when some were dropped."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event | AuditError] = asyncio.Queue(_MOST_WAITING)
        self.missed = False

    def tell(self, event: Event) -> None:
        """Keep an event, unless so many are kept that reading the stream again is cheaper."""
        if self.queue.full():
            self.missed = True
        else:
            self.queue.put_nowait(event)

    def end(self, error: AuditError) -> None:
        """Let an error be the last thing that is heard."""
        while self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(error)


class EventHub:
    """Reads the events of all watched audits, and hands them to their watchers."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client
        self._watchers: dict[str, set[_Watcher]] = {}
        # The last sequence number that was handed on, by audit.
        self._read_up_to: dict[str, int] = {}
        # The last note of a deleted audit that was read; empty before the first watch.
        self._deleted_up_to = ""
        self._joined = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._closed: AuditError | None = None

    @property
    def watchers(self) -> int:
        """How many watch."""
        return sum(map(len, self._watchers.values()))

    async def follow(self, audit_id: str, after_sequence: int = 0) -> AsyncIterator[Event]:
        """Yield the events after a sequence number, waiting for new ones, up to and including Finished.

        Where Finished itself is not after that number, nothing is left to yield. The caller makes sure that the audit
        existed. Raises AuditNotFound when it is deleted, StoreUnavailable when Redis is gone, and what the hub was
        closed with.
        """
        if not self._deleted_up_to:
            self._deleted_up_to = await self._newest_deletion()
        watcher = _Watcher()
        self._watchers.setdefault(audit_id, set()).add(watcher)
        try:
            async for event in self._follow(audit_id, after_sequence, watcher):
                yield event
        finally:
            self._leave(audit_id, watcher)

    async def _follow(self, audit_id: str, last: int, watcher: _Watcher) -> AsyncIterator[Event]:
        events = await self._after(audit_id, last)
        if not events:
            newest = await self._newest(audit_id)
            if isinstance(newest, Finished):
                return
            # A number that is still to come must not make anybody wait for it.
            last = min(last, newest.sequence)
        while True:
            for event in events:
                yield event
                last = event.sequence
                if isinstance(event, Finished):
                    return
            self._start(audit_id, last)
            heard = await self._hear(watcher)
            if heard is None or heard.sequence > last + 1:
                # Nothing for long, or something was left out: the stream knows.
                events = await self._after(audit_id, last) or await self._still_there(audit_id)
            else:
                events = [heard] if heard.sequence > last else []

    async def _hear(self, watcher: _Watcher) -> Event | None:
        if self._closed is not None:
            raise self._closed
        if watcher.missed and watcher.queue.empty():
            watcher.missed = False
            return None
        try:
            heard = await asyncio.wait_for(watcher.queue.get(), _PATIENCE_SECONDS)
        except TimeoutError:
            return None
        if isinstance(heard, AuditError):
            raise heard
        return heard

    def _start(self, audit_id: str, last: int) -> None:
        if audit_id not in self._read_up_to:
            self._read_up_to[audit_id] = last
            self._joined.set()
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())

    def _leave(self, audit_id: str, watcher: _Watcher) -> None:
        left = self._watchers[audit_id]
        left.discard(watcher)
        if not left:
            del self._watchers[audit_id]
            self._read_up_to.pop(audit_id, None)

    async def _read(self) -> None:
        """Hand on events for as long as anybody watches."""
        try:
            while self._read_up_to:
                self._joined.clear()
                for name, entries in _by_stream(await self._read_once()):
                    if name == _DELETED:
                        self._end_deleted(entries)
                    else:
                        self._hand_on(name.rpartition(":")[2], [read_event(*entry) for entry in entries])
        except StoreError as error:
            self._tell_all(error)

    async def _read_once(self) -> Any:
        """Return what is new; nothing when a watch of another audit begins meanwhile."""
        streams: dict[Any, Any] = {_stream(audit_id): f"{last}-0" for audit_id, last in self._read_up_to.items()}
        streams[_DELETED] = self._deleted_up_to
        read = asyncio.ensure_future(self._redis.xread(streams, count=100, block=_BLOCK_MILLISECONDS))
        joined = asyncio.ensure_future(self._joined.wait())
        try:
            await asyncio.wait({read, joined}, return_when=asyncio.FIRST_COMPLETED)
            if not read.done():
                await asyncio.sleep(_GATHER_SECONDS)
            if not read.done():
                return None
            with redis_errors():
                return read.result()
        finally:
            for each in (read, joined):
                each.cancel()
            # Its connection is closed then: an answer that nobody waits for must not be taken for another one's.
            await asyncio.gather(read, joined, return_exceptions=True)

    def _end_deleted(self, entries: list[tuple[str, dict[str, str]]]) -> None:
        self._deleted_up_to = entries[-1][0]
        for _, fields in entries:
            for watcher in self._watchers.get(fields["audit"], ()):
                watcher.end(AuditNotFound(f"audits/{fields['audit']}"))

    async def _newest_deletion(self) -> str:
        with redis_errors():
            newest: Any = await self._redis.xrevrange(_DELETED, count=1)
        return str(newest[0][0]) if newest else "0-0"

    def _hand_on(self, audit_id: str, events: list[Event]) -> None:
        if audit_id not in self._read_up_to:
            return
        self._read_up_to[audit_id] = events[-1].sequence
        for watcher in self._watchers.get(audit_id, ()):
            for event in events:
                watcher.tell(event)

    def _tell_all(self, error: AuditError) -> None:
        for watcher in [watcher for watchers in self._watchers.values() for watcher in watchers]:
            watcher.end(error)

    async def close(self, error: AuditError) -> None:
        """End every watch with an error, and those to come too."""
        self._closed = error
        self._tell_all(error)
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _after(self, audit_id: str, last: int) -> list[Event]:
        with redis_errors():
            found: Any = await self._redis.xrange(_stream(audit_id), min=f"({last}-0")
        return [read_event(*entry) for entry in found]

    async def _newest(self, audit_id: str) -> Event:
        """Return the newest event, which every audit has. Raises AuditNotFound."""
        with redis_errors():
            newest: Any = await self._redis.xrevrange(_stream(audit_id), count=1)
        if not newest:
            raise AuditNotFound(f"audits/{audit_id}")
        return read_event(*newest[0])

    async def _still_there(self, audit_id: str) -> list[Event]:
        """Return no event, of an audit that exists. Raises AuditNotFound."""
        await self._newest(audit_id)
        return []


def _stream(audit_id: str) -> str:
    return key("events", audit_id)


def _by_stream(answer: Any) -> list[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Return the entries of each stream that was read."""
    # redis-py gives a list of pairs under RESP2, and under RESP3 a dictionary with one more list round the entries.
    pairs = answer.items() if isinstance(answer, dict) else (answer or [])
    return [(name, found[0] if found and isinstance(found[0], list) else found) for name, found in pairs if found]
