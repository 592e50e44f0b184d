"""Content on its way out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator


async def in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what a blocking iterator yields; each step runs in a thread."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
