"""Models on their way in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.violations import InvalidRequest
from dropaudit_store.blobs import BlobStore

# The size of a model that is stored, content included; None when it is not.
KnownSize = Callable[[str], int | None]

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """Content that is stored."""

    sha256: str
    size: int
    display_name: str


class Uploads:
    """Receives content chunk by chunk; memory does not grow with it."""

    def __init__(self, blobs: BlobStore, known: KnownSize, max_bytes: int) -> None:
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
        if metadata.sha256 and (size := await asyncio.to_thread(self._known, metadata.sha256)) is not None:
            return Stored(metadata.sha256, size, metadata.display_name)
        with self._blobs.writer(self._max_bytes) as writer:
            async for message in messages:
                _require_chunk(message)
                await asyncio.to_thread(writer.write, message.chunk)
            if writer.size == 0:
                raise InvalidRequest([("chunk", "the content is empty; send at least one chunk after the metadata")])
            digest = await asyncio.to_thread(writer.commit, metadata.sha256, metadata.size_bytes)
        return Stored(digest, writer.size, metadata.display_name)


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
