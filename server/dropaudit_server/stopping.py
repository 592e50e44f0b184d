"""Shutdown as an event: calls that wait are told when the server stops."""

from __future__ import annotations

import asyncio

from dropaudit.errors import AuditError


class ServerStopping(AuditError):
    """The server is about to stop; another one, or the same after its restart, goes on."""

    reason = "SERVER_STOPPING"

    def __init__(self) -> None:
        super().__init__("this server is about to stop; call again")


class Stopping:
    """Whether the server stops. Made before the event loop runs, used inside it."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def begin(self) -> None:
        """Note that the server stops."""
        self._event.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the server stops. Raises ServerStopping."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
        raise ServerStopping
