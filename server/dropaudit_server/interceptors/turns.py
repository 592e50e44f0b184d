"""How many messages of one caller are on their way at a time: gRPC keeps the whole of each, however large it is."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
_Waiting = deque[asyncio.Future[None]]


class NoTurn(Exception):
    """Others took every turn for as long as a call waits."""


class GaveWay(Exception):
    """A message did not come while others waited for their turn."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s")
        self.seconds = seconds


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
            self._held[connection] -= 1
            self._held += Counter()  # forgets who has none
            self._hand_on()

    async def _given(self, connection: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(connection, deque()).append(turn)
        try:
            async with asyncio.timeout(self._patience.waiting):
                await turn
        except TimeoutError as error:
            self._forget(connection, turn)
            raise NoTurn from error
        except BaseException:
            self._forget(connection, turn)
            raise

    def _forget(self, connection: str, turn: asyncio.Future[None]) -> None:
        """Wait no longer; a turn that came at the same moment goes to the next."""
        if turn.done() and not turn.cancelled():
            self._held[connection] -= 1
            self._hand_on()
        waiting = self._waiting.get(connection, deque())
        if turn in waiting:
            waiting.remove(turn)
        if not waiting:
            self._waiting.pop(connection, None)

    def _hand_on(self) -> None:
        """Give a turn that has come free to a call that waits, and none to one that was cancelled a moment ago."""
        while self._waiting:
            connection = min(self._waiting, key=lambda each: self._held[each])
            turn = self._waiting[connection].popleft()
            if not self._waiting[connection]:
                del self._waiting[connection]
            if not turn.done():
                self._held[connection] += 1
                turn.set_result(None)
                return
        self._free += 1

    async def received(self, connection: str, message: Coroutine[Any, Any, T]) -> T:
        """Wait for a message whose turn it is. Raises GaveWay."""
        coming = asyncio.ensure_future(message)
        elapsed = 0.0
        try:
            while not (await asyncio.wait([coming], timeout=self._patience.of_many))[0]:
                elapsed += self._patience.of_many
                if self._waiting and (elapsed >= self._patience.turn or self._has_more(connection)):
                    raise GaveWay(elapsed)
            return coming.result()
        finally:
            coming.cancel()

    def _has_more(self, connection: str) -> bool:
        return any(self._held[each] < self._held[connection] for each in self._waiting)
