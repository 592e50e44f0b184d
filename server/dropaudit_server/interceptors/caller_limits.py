"""Limits on what one caller may have under way: a call beyond them is refused, so that others lose nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from grpc.aio import EOF

from dropaudit.errors import AuditError
from dropaudit_server.interceptors.turns import GaveWay, NoTurn, Turns
from dropaudit_server.requests.violations import InvalidRequest

# Of one caller: large messages that are parsed and worked on at a time.
_LARGE_AT_A_TIME = 2
_LARGE_BYTES = 1 << 20
# Smaller ones are forgotten for what they take: as many as there may be calls are a few mebibytes.
_SMALL_BYTES = 16 << 10
Parse = Callable[[bytes], Any]
T = TypeVar("T")
# All callers together may have so many times as much as one.
_CALLERS = 8


class CallKind(StrEnum):
    """The kinds that calls are counted by: transfers hold a file open, streams are watches and the like.

    Messages are what calls of all kinds send.
    """

    CALLS = "calls"
    STREAMS = "streams"
    TRANSFERS = "transfers"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How many of each kind one caller may have under way, and how long a call may take to send its message.

    Attributes:
        messages: messages of calls, and as many of uploads, that are received at a time.
    """

    calls: int = 1000
    streams: int = 5000
    transfers: int = 32
    message_seconds: float = 120.0
    messages: int = 4

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


class TooManyMessages(TooManyCalls):
    """As many messages are on their way as may be, and none has come to its end for long."""

    reason = "TOO_MANY_MESSAGES"

    def __init__(self, limit: int) -> None:
        super().__init__(CallKind.MESSAGES, limit)


_REFUSALS = {CallKind.CALLS: TooManyCalls, CallKind.STREAMS: TooManyStreams, CallKind.TRANSFERS: TooManyTransfers}


class MessageTimedOut(AuditError):
    """A call was made, and its message did not come, or its answers are not read."""

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
    async def message(
        self, caller: str, connection: str, read: Callable[[], Awaitable[Any]], parse: Parse
    ) -> AsyncIterator[Any]:
        """Yield the only message of a call, whose bytes are what `read` returns: gRPC's EOF where it has none.

        Of each caller few are received at a time, and large ones parsed, the others wait: what has not been received
        takes no memory here, and parsing takes some times as much again.

        Raises:
            MessageTimedOut: it does not come.
            TooManyMessages: its turn does not come.
            InvalidRequest: there is none.
        """
        with self._place(caller) as places, self._refusals():
            async with places.calls.turn(connection):
                content = await places.calls.received(connection, read(), self._limits.message_seconds)
                if content is EOF:
                    raise InvalidRequest([("request", "the call ended without a message")])
                if len(content) >= _SMALL_BYTES:
                    async with places.large if len(content) >= _LARGE_BYTES else nullcontext():
                        message = parse(content)
                        del content
                        yield message
                        return
            yield parse(content)

    async def each(self, caller: str, connection: str, messages: AsyncIterator[T]) -> AsyncIterator[T]:
        """Yield the messages of an upload, each of which waits for its turn too; see `message` for the errors."""
        with self._place(caller) as places, self._refusals():
            try:
                while True:
                    async with places.uploads.turn(connection):
                        message: Any = await places.uploads.received(connection, anext(messages, EOF))
                    if message is EOF:
                        return
                    yield message
                    del message
            finally:
                await _close(messages)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Refuse inside what finds no turn, or does not come in its turn."""
        try:
            yield
        except NoTurn as error:
            raise TooManyMessages(self._limits.messages) from error
        except GaveWay as error:
            raise MessageTimedOut(error.seconds) from error

    @contextmanager
    def _place(self, caller: str) -> Iterator[_Places]:
        places = self._places.setdefault(caller, _Places(self._limits.messages))
        places.users += 1
        try:
            yield places
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


async def _close(messages: AsyncIterator[Any]) -> None:
    """Let what receives messages forget the last one: gRPC keeps it with the call."""
    receiver = aiter(messages)
    # One that is still asked for a message ends with the call.
    if isinstance(receiver, AsyncGenerator):
        with suppress(RuntimeError):
            await receiver.aclose()


class _Places:
    """Where a caller's messages are received, and how many calls know of it."""

    def __init__(self, messages: int) -> None:
        self.calls, self.uploads = Turns(messages), Turns(messages)
        self.large = asyncio.Semaphore(_LARGE_AT_A_TIME)
        self.users = 0
