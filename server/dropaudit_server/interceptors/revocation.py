"""Streams last long: they end when their token is revoked, or expires, in the middle of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dropaudit.errors import AuditError
from dropaudit_server.interceptors.access import Access
from dropaudit_server.interceptors.call import Call


@dataclass(eq=False)
class OpenStream:
    """A stream under way; `refusal` is set when it is ended."""

    call: Call
    task: asyncio.Task[object] | None
    refusal: AuditError | None = None


class OpenStreams:
    """Looks at the tokens of open streams again and again.

    Args:
        seconds: how often.
    """

    def __init__(self, access: Access, seconds: float = 1.0) -> None:
        self._access = access
        self._seconds = seconds
        self._open: set[OpenStream] = set()

    @contextmanager
    def noted(self, call: Call, is_stream: bool = True) -> Iterator[OpenStream]:
        """Note a stream while inside: it is cancelled once its caller may not make it any more; others end soon."""
        stream = OpenStream(call, asyncio.current_task())
        if is_stream:
            self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            self.look()

    def look(self) -> None:
        """Look once."""
        known: dict[tuple[str, str], AuditError | None] = {}
        for stream in list(self._open):
            shown = (stream.call.method, stream.call.metadata.get("authorization", ""))
            if shown not in known:
                known[shown] = self._refusal(stream.call)
            stream.refusal = stream.refusal or known[shown]
            if stream.refusal is not None and stream.task is not None:
                stream.task.cancel()

    def _refusal(self, call: Call) -> AuditError | None:
        try:
            self._access.check(call.method, call.metadata)
        except AuditError as error:
            return error
        return None
