"""Models on their way in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.content_threads import ContentThreads
from dropaudit_server.violations import InvalidRequest
from dropaudit_store.blobs import BlobStore, BlobWriter

# The size of a model that is stored, content included; None when it is not.
KnownSize = Callable[[str], int | None]

_BREAK_OFF_SECONDS = 0.05
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """Content that is stored."""

    sha256: str
    size: int
    display_name: str


class Uploads:
    """Receives content chunk by chunk; memory does not grow with it."""

    def __init__(self, blobs: BlobStore, known: KnownSize, max_bytes: int, threads: ContentThreads) -> None:
        self._threads = threads
        self._blobs = blobs
        self._known = known
        self._max_bytes = max_bytes

    async def receive(self, messages: AsyncIterator[pb.UploadModelRequest]) -> Stored:
        """Store what comes, unless it is stored; nothing is left of an upload that breaks off.

        Raises:
            InvalidRequest: the first message is no metadata, another one is, or the content is empty.
            ContentTooLarge: it exceeds the limit.
            DigestMismatch: it is not what the metadata announced.
            StorageFull: the disk is full.
        """
        metadata = await _metadata(messages)
        if metadata.sha256 and (size := await self._threads.run(self._known, metadata.sha256)) is not None:
            return Stored(metadata.sha256, size, metadata.display_name)
        async with self._writer() as writer:
            async for message in messages:
                _require_chunk(message)
                await self._threads.run(writer.write, message.chunk)
            # A call that breaks off ends its messages as one that is complete does, and is cancelled a moment later.
            await asyncio.sleep(_BREAK_OFF_SECONDS)
            if writer.size == 0:
                raise InvalidRequest([("chunk", "the content is empty; send at least one chunk after the metadata")])
            digest = await self._threads.run(writer.commit, metadata.sha256, metadata.size_bytes)
        return Stored(digest, writer.size, metadata.display_name)

    @asynccontextmanager
    async def _writer(self) -> AsyncIterator[BlobWriter]:
        """Yield a writer that is entered and left in a thread too: an object store is asked at both ends."""
        writer = self._blobs.writer(self._max_bytes)
        try:
            await self._threads.run(writer.__enter__)
            yield writer
        finally:
            # Also when the call is cancelled again, or only now.
            await asyncio.shield(self._threads.run(writer.__exit__))


async def _metadata(messages: AsyncIterator[pb.UploadModelRequest]) -> pb.UploadModelRequest.Metadata:
    first = await anext(messages, None)
    if first is None or not first.HasField("metadata"):
        raise InvalidRequest([("metadata", "the first message must hold metadata")])
    if first.metadata.sha256 and not _DIGEST.fullmatch(first.metadata.sha256):
        raise InvalidRequest([("metadata.sha256", "must be 64 lower-case hexadecimal digits")])
    return first.metadata


def _require_chunk(message: pb.UploadModelRequest) -> None:
    if not message.HasField("chunk"):
        raise InvalidRequest([("chunk", "every message after the first must hold a chunk")])
