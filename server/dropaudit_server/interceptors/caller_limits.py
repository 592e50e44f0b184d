"""How much one caller may have under way: who asks for more is refused, and takes nothing from others."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dropaudit.errors import AuditError
from dropaudit_server.requests.violations import InvalidRequest

# Of one caller: messages that are received at a time, and large ones that are parsed and worked on.
_RECEIVED_AT_A_TIME = 32
_LARGE_AT_A_TIME = 2
_LARGE_BYTES = 1 << 20
Parse = Callable[[bytes], Any]
# All callers together may have so many times as much as one.
_CALLERS = 8


class CallKind(StrEnum):
    """Classes of calls that are limited separately: transfers hold a file open, streams are watches and the like."""

    CALLS = "calls"
    STREAMS = "streams"
    TRANSFERS = "transfers"


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How many of each kind one caller may have under way, and how long a call may take to send its message."""

    calls: int = 1000
    streams: int = 5000
    transfers: int = 32
    message_seconds: float = 120.0

    def of(self, kind: CallKind) -> int:
        """Return the limit of a kind."""
        return {CallKind.CALLS: self.calls, CallKind.STREAMS: self.streams, CallKind.TRANSFERS: self.transfers}[kind]


class TooManyCalls(AuditError):
    """A caller, or all of them, have as many calls under way as they may."""

    reason = "TOO_MANY_CALLS"

    def __init__(self, kind: CallKind, limit: int) -> None:
        super().__init__(f"{limit} {kind.value} are under way already; let some end first", limit=str(limit))


class TooManyStreams(TooManyCalls):
    """The same of streams."""

    reason = "TOO_MANY_STREAMS"


class TooManyTransfers(TooManyCalls):
    """The same of uploads and downloads."""

    reason = "TOO_MANY_TRANSFERS"


_REFUSALS = {CallKind.CALLS: TooManyCalls, CallKind.STREAMS: TooManyStreams, CallKind.TRANSFERS: TooManyTransfers}


class MessageTimedOut(AuditError):
    """A call was made, and its message did not come, or nobody takes its answers."""

    reason = "MESSAGE_TIMED_OUT"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the call's message did not come, or its answer was not taken, within {seconds:g} s; call again"
        )


class CallerLimits:
    """Counts what is under way, by caller: the token's name, or the connection where there are no tokens."""

    def __init__(self, limits: CallLimits) -> None:
        self._limits = limits
        self._open: Counter[tuple[str, CallKind]] = Counter()
        self._all: Counter[CallKind] = Counter()
        self._places: dict[str, _Places] = {}

    @contextmanager
    def entered(self, caller: str, kind: CallKind) -> Iterator[None]:
        """Count a call while inside. Raises TooManyCalls."""
        limit = self._limits.of(kind)
        if self._open[caller, kind] >= limit:
            raise _REFUSALS[kind](kind, limit)
        if self._all[kind] >= _CALLERS * limit:
            raise _REFUSALS[kind](kind, _CALLERS * limit)
        self._open[caller, kind] += 1
        self._all[kind] += 1
        try:
            yield
        finally:
            self._all[kind] -= 1
            self._open[caller, kind] -= 1
            if not self._open[caller, kind]:
                del self._open[caller, kind]

    @asynccontextmanager
    async def message(self, caller: str, messages: AsyncIterator[bytes], parse: Parse) -> AsyncIterator[Any]:
        """Yield the only message of a call.

        Of each caller few are received at a time, and large ones parsed, the others wait: what has not been received
        takes no memory here, and parsing takes some times as much again.

        Raises:
            MessageTimedOut: it does not come.
            InvalidRequest: there is none.
        """
        places = self._places.setdefault(caller, _Places())
        places.users += 1
        try:
            async with places.receiving:
                content = await self._received(messages)
                if len(content) >= _LARGE_BYTES:
                    async with places.large:
                        message = parse(content)
                        del content
                        yield message
                        return
            yield parse(content)
        finally:
            places.users -= 1
            if not places.users:
                self._places.pop(caller, None)

    async def written(self, answer: Awaitable[None]) -> None:
        """Wait until a caller takes an answer. Raises MessageTimedOut."""
        try:
            async with asyncio.timeout(self._limits.message_seconds):
                await answer
        except TimeoutError as error:
            raise MessageTimedOut(self._limits.message_seconds) from error

    async def _received(self, messages: AsyncIterator[bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._limits.message_seconds):
                async for content in messages:
                    return content
        except TimeoutError as error:
            raise MessageTimedOut(self._limits.message_seconds) from error
        raise InvalidRequest([("request", "the call ended without a message")])


class _Places:
    """Where a caller's messages are received, and how many calls know of it."""

    def __init__(self) -> None:
        self.receiving = asyncio.Semaphore(_RECEIVED_AT_A_TIME)
        self.large = asyncio.Semaphore(_LARGE_AT_A_TIME)
        self.users = 0
