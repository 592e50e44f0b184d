"""Threads for content on its way in and out: slow storage must not keep calls about records waiting."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class ContentThreads:
    """Runs what blocks on the blob store.

    Args:
        count: uploads and downloads that may touch the store at a time; the others wait for their turn.
    """

    def __init__(self, count: int = 16) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="content")

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a blocking call returns."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: context.run(call, *args, **kwargs))

    async def each(self, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Yield what a blocking iterator yields."""
        while (chunk := await self.run(next, chunks, None)) is not None:
            yield chunk

    def close(self) -> None:
        """End the threads once their calls have ended."""
        self._pool.shutdown()
