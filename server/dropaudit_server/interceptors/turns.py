"""How many messages of one caller are on their way at a time: gRPC keeps the whole of each, however large it is."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_Waiting = deque[asyncio.Future[None]]


class NoTurn(Exception):
    """Others took every turn for as long as a call waits."""


class GaveWay(Exception):
    """A message did not come in its time, or while others waited for their turn."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class _Reception:
    """A message on its way, since an instant of the event loop's clock."""

    connection: str
    since: float


@dataclass(frozen=True, slots=True)
class Patience:
    """How long turns last while others wait, in seconds.

    Attributes:
        turn: what a message may take.
        of_many: what it may take where its connection has more turns than one that waits.
        waiting: how long one waits for a turn at most.
    """

    turn: float = 10.0
    of_many: float = 1.0
    waiting: float = 30.0


PATIENCE = Patience()


class Turns:
    """Hands out turns to receive: first to the connection that has the fewest, then to the one that has waited longest.

    Args:
        most: turns at a time.
        patience: how long they last while others wait.
    """

    def __init__(self, most: int, patience: Patience = PATIENCE) -> None:
        self._free = most
        self._patience = patience
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, _Waiting] = {}
        # The longest under way first.
        self._receiving: dict[asyncio.Timeout, _Reception] = {}

    @asynccontextmanager
    async def turn(self, connection: str) -> AsyncIterator[None]:
        """Have a turn while inside. Raises NoTurn."""
        if self._free:
            self._free -= 1
            self._held[connection] += 1
        else:
            await self._given(connection)
        try:
            yield
        finally:
            self._give_up(connection)

    async def _given(self, connection: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(connection, deque()).append(turn)
        try:
            async with asyncio.timeout(self._patience.waiting):
                self._hurry()
                while not (await asyncio.wait([turn], timeout=self._patience.of_many))[0]:
                    self._hurry()
        except TimeoutError as error:
            self._forget(connection, turn)
            raise NoTurn from error
        except BaseException:
            self._forget(connection, turn)
            raise

    def _forget(self, connection: str, turn: asyncio.Future[None]) -> None:
        """Wait no longer; a turn that came at the same moment goes to the next."""
        if turn.done():
            self._give_up(connection)
        waiting = self._waiting.get(connection, deque())
        if turn in waiting:
            waiting.remove(turn)
        if not waiting:
            self._waiting.pop(connection, None)

    def _give_up(self, connection: str) -> None:
        """End a turn: the next call that waits has it."""
        self._held[connection] -= 1
        if not self._held[connection]:
            del self._held[connection]
        if not self._waiting:
            self._free += 1
            return
        following = min(self._waiting, key=lambda each: self._held[each])
        turn = self._waiting[following].popleft()
        if not self._waiting[following]:
            del self._waiting[following]
        self._held[following] += 1
        turn.set_result(None)

    async def received(self, connection: str, message: Awaitable[T], seconds: float | None = None) -> T:
        """Wait for a message whose turn it is.

        Args:
            seconds: how long at most, though nobody waits.

        Raises:
            GaveWay: it did not come.
        """
        now = asyncio.get_running_loop().time
        reception = _Reception(connection, now())
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                self._receiving[limit] = reception
                return await message
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise GaveWay(round(now() - reception.since, 1)) from error
        finally:
            self._receiving.pop(limit, None)

    def _hurry(self) -> None:
        """End the longest reception of those that have had their time, for the call that waits and looks."""
        now = asyncio.get_running_loop().time()
        for limit, reception in self._receiving.items():
            elapsed = now - reception.since
            patience = self._patience.of_many if self._has_more(reception.connection) else self._patience.turn
            if elapsed >= patience and not limit.expired():
                # Who looks next ends another: this one gives its turn back in a moment.
                del self._receiving[limit]
                limit.reschedule(now)
                return

    def _has_more(self, connection: str) -> bool:
        return any(self._held[each] < self._held[connection] for each in self._waiting)
