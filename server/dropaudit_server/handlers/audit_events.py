"""Follows an audit: its events as messages, the last one with the finished audit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import responses
from dropaudit_server.handlers.audit_handlers import AuditHandlers
from dropaudit_store.audits.events import Finished, Unknown
from dropaudit_store.audits.watching import EventHub


class Follower:
    """Follows audits."""

    def __init__(self, handlers: AuditHandlers, events: EventHub) -> None:
        self._handlers = handlers
        self._events = events

    async def follow(self, audit_id: str, after_sequence: int) -> AsyncIterator[pb.AuditEvent]:
        """Yield the events after a sequence number.

        Raises:
            AuditNotFound: there is no such audit, or it is deleted meanwhile.
            ServerStopping: the server stops.
        """
        await asyncio.to_thread(self._handlers.get, audit_id)
        async for event in self._events.follow(audit_id, after_sequence):
            if isinstance(event, Finished):
                yield await asyncio.to_thread(self._last_event, event, audit_id)
            elif not isinstance(event, Unknown):
                yield responses.event(event)

    def _last_event(self, event: Finished, audit_id: str) -> pb.AuditEvent:
        return responses.last_event(event, self._handlers.get(audit_id))
