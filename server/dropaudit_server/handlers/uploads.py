"""Models on their way in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from dropaudit.errors import AuditError
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.handlers.content_threads import ContentThreads
from dropaudit_server.naming.requests import display_name
from dropaudit_server.requests.violations import InvalidRequest, Violations
from dropaudit_store.content.blobs import BlobStore, BlobWriter

# The size of a model that is stored, content included; None when it is not.
KnownSize = Callable[[str], int | None]

_BREAK_OFF_SECONDS = 0.05
_LARGEST_CHUNK = 1 << 20
# Slower than this, all in all, nobody uploads who means it.
_SLOWEST_BYTES_A_SECOND = 64 << 10
_DIGEST = re.compile(r"[0-9a-f]{64}")


class UploadTimedOut(AuditError):
    """An upload is silent, or so slow that it would take for ever."""

    reason = "UPLOAD_TIMED_OUT"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"nothing came for {seconds:g} s, or less than {_SLOWEST_BYTES_A_SECOND >> 10} KiB a second; upload again",
            seconds=f"{seconds:g}",
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """Content that is stored."""

    sha256: str
    size: int
    display_name: str


class Uploads:
    """Receives content chunk by chunk; memory does not grow with it.

    Args:
        idle_seconds: how long nothing may come.
    """

    def __init__(
        self, blobs: BlobStore, known: KnownSize, max_bytes: int, threads: ContentThreads, idle_seconds: float = 60.0
    ) -> None:
        self._idle_seconds = idle_seconds
        self._threads = threads
        self._blobs = blobs
        self._known = known
        self._max_bytes = max_bytes

    async def receive(self, messages: AsyncIterator[pb.UploadModelRequest]) -> Stored:
        """Store what comes, unless it is stored; nothing is left of an upload that breaks off.

        Raises:
            InvalidRequest: the first message is not metadata, another one is, or the content is empty.
            ContentTooLarge: it exceeds the limit.
            DigestMismatch: it is not what the metadata announced.
            StorageFull: the disk is full, or would be.
            UploadTimedOut: nothing comes, or too little.
        """
        messages = _paced(messages, self._idle_seconds)
        metadata = await _metadata(messages)
        if metadata.sha256 and (size := await self._threads.run(self._known, metadata.sha256)) is not None:
            return Stored(metadata.sha256, size, metadata.display_name)
        await self._threads.run(self._blobs.require_room, metadata.size_bytes)
        # No file before there is something to write.
        first = _chunk(await anext(messages, pb.UploadModelRequest(chunk=b"")))
        async with self._writer() as writer:
            await self._threads.run(writer.write, first)
            async for message in messages:
                await self._threads.run(writer.write, _chunk(message))
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
    violations = Violations()
    display_name(first.metadata.display_name, "metadata.display_name", violations)
    violations.check()
    return first.metadata


def _chunk(message: pb.UploadModelRequest) -> bytes:
    if not message.HasField("chunk"):
        raise InvalidRequest([("chunk", "every message after the first must hold a chunk")])
    if len(message.chunk) > _LARGEST_CHUNK:
        raise InvalidRequest([("chunk", f"at most {_LARGEST_CHUNK} bytes; send more chunks")])
    return message.chunk


async def _paced(
    messages: AsyncIterator[pb.UploadModelRequest], idle_seconds: float
) -> AsyncIterator[pb.UploadModelRequest]:
    """Yield messages for as long as they come. Raises UploadTimedOut; what the server takes itself does not count."""
    loop, waited, received = asyncio.get_running_loop(), 0.0, 0
    while True:
        left = idle_seconds + received / _SLOWEST_BYTES_A_SECOND - waited
        began = loop.time()
        try:
            async with asyncio.timeout(min(idle_seconds, left)):
                message = await anext(messages)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise UploadTimedOut(idle_seconds) from error
        waited += loop.time() - began
        received += len(message.chunk)
        yield message
