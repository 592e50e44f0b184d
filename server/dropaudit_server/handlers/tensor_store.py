"""Tensors on their way to the blob store: unpacked a few at a time, in threads of their own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from google.protobuf.message import Message

from dropaudit_server.requests.tensors import NamedArrays, SentTensors
from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.records import Tensors

T = TypeVar("T")
# A request as large as this may hold what takes long to unpack.
_LARGE_REQUEST = 32 << 10
# Other files unpack to at most a thousand times their size, which is what deflate makes of zeros.
_SMALL_BYTES = 64 << 20


class TensorStore:
    """Stores what requests bring.

    Args:
        budget: bytes that may be unpacked at a time; one archive at a time may take all of it.
    """

    def __init__(self, blobs: BlobStore, budget: int) -> None:
        self._blobs = blobs
        self._budget = _Budget(budget)

    def put(self, tensors: SentTensors) -> Tensors:
        """Store tensors. Raises InvalidRequest where an archive is damaged."""
        with self._unpacked(tensors) as arrays:
            return self._blobs.put_tensors(arrays)

    def describe(self, tensors: SentTensors) -> Tensors:
        """Describe tensors as they would be stored. Raises InvalidRequest where an archive is damaged."""
        with self._unpacked(tensors) as arrays:
            return self._blobs.describe_tensors(arrays)

    @contextmanager
    def _unpacked(self, tensors: SentTensors) -> Iterator[NamedArrays]:
        if isinstance(tensors, list):
            yield tensors
            return
        with self._budget.claimed(tensors.size):
            yield tensors.arrays()


class _Budget:
    """Bytes that threads may take, and give back."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._changed = threading.Condition()

    @contextmanager
    def claimed(self, size: int) -> Iterator[None]:
        """Hold a number of bytes while inside; wait until they are free."""
        size = 0 if size < _SMALL_BYTES else min(size, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= size)
            self._left -= size
        try:
            yield
        finally:
            with self._changed:
                self._left += size
                self._changed.notify_all()


class RequestThreads:
    """Runs blocking calls for requests: large ones in threads of their own, so that small ones do not wait for them."""

    def __init__(self, large: int = 2, others: int = 32) -> None:
        self._large = ThreadPoolExecutor(large, thread_name_prefix="large-requests")
        self._others = ThreadPoolExecutor(others, thread_name_prefix="requests")

    async def run(self, request: Message, call: Callable[[], T]) -> T:
        """Return what a blocking call for a request returns."""
        pool = self._large if request.ByteSize() >= _LARGE_REQUEST else self._others
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(pool, context.run, call)

    def close(self) -> None:
        """End the threads once their calls have ended."""
        self._large.shutdown()
        self._others.shutdown()
