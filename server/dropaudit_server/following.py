"""Follows an audit: its events as messages, the last one with the finished audit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import responses
from dropaudit_server.handlers import Handlers
from dropaudit_store.events import EventReader, Finished


class Follower:
    """Follows audits."""

    def __init__(self, handlers: Handlers, events: EventReader) -> None:
        self._handlers = handlers
        self._events = events

    async def follow(self, audit_id: str, after_sequence: int) -> AsyncIterator[pb.AuditEvent]:
        """Yield the events after a sequence number. Raises AuditNotFound."""
        await asyncio.to_thread(self._handlers.get_audit, audit_id)
        async for event in self._events.follow(audit_id, after_sequence):
            if isinstance(event, Finished):
                yield responses.last_event(event, await asyncio.to_thread(self._handlers.get_audit, audit_id))
            else:
                yield responses.event(event)
