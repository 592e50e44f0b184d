"""How many messages of one caller are on their way at a time: gRPC keeps the whole of each, however large it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")

# How long a message may be on its way while others wait, and how long those do.
_GIVES_WAY_SECONDS, _WAITS_SECONDS = 10.0, 30.0


class NoTurn(Exception):
    """Others took every turn for as long as a caller waits."""


class GaveWay(Exception):
    """A message did not come while others waited for their turn."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s")
        self.seconds = seconds


class Turns:
    """Hands out turns to receive, in the order in which they were asked for.

    Args:
        most: turns at a time.
        gives_way: seconds after which a message that has not come gives its turn to those who wait.
        waits: seconds that one waits at most.
    """

    def __init__(self, most: int, gives_way: float = _GIVES_WAY_SECONDS, waits: float = _WAITS_SECONDS) -> None:
        self._free = asyncio.Semaphore(most)
        self._gives_way = gives_way
        self._waits = waits
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Have a turn while inside. Raises NoTurn."""
        await self._taken()
        try:
            yield
        finally:
            self._free.release()

    async def _taken(self) -> None:
        if not self._free.locked():
            await self._free.acquire()
            return
        self._waiting += 1
        try:
            async with asyncio.timeout(self._waits):
                await self._free.acquire()
        except TimeoutError as error:
            raise NoTurn from error
        finally:
            self._waiting -= 1

    async def received(self, message: Coroutine[Any, Any, T]) -> T:
        """Wait for a message whose turn it is. Raises GaveWay."""
        coming = asyncio.ensure_future(message)
        try:
            while not (await asyncio.wait([coming], timeout=self._gives_way))[0]:
                if self._waiting:
                    raise GaveWay(self._gives_way)
            return coming.result()
        finally:
            coming.cancel()
