"""Content under its SHA-256: the same bytes are stored once, and a broken-off upload leaves nothing."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np

from dropaudit.subjects import Array
from dropaudit_store.content.digests import require_digest
from dropaudit_store.content.file_systems import Files
from dropaudit_store.errors import BlobMissing, ContentTooLarge, DigestMismatch
from dropaudit_store.records import TensorInfo, Tensors
from dropaudit_store.redis.disk_reserve import ANY_ROOM, Room

_INCOMING = "incoming"
# Longer than any upload takes.
_ABANDONED_SECONDS = 86_400


def _hold_nothing(_: str) -> None:
    pass


class BlobStore:
    """Content on any file system that fsspec knows; `file:///…` for one machine, `s3://…` for many.

    What takes a digest raises InvalidDigest for anything else.
    """

    def __init__(self, url: str, hold: Callable[[str], None] = _hold_nothing, room: Room = ANY_ROOM) -> None:
        """Open a store.

        Args:
            hold: told of each digest before its content becomes visible.
            room: what the disk under Redis must keep, where content is on that disk too.
        """
        self._files = Files.at(url)
        self._hold = hold
        self._room = room if self._files.folder and room.is_shared_with(self._files.folder) else ANY_ROOM

    def require_room(self, size: int) -> None:
        """Raise StorageFull where content of this size would leave too little for Redis."""
        self._room.require(size)

    def writer(self, max_bytes: int | None = None) -> BlobWriter:
        """Begin to store content; use it as a context manager."""
        return BlobWriter(self._files, max_bytes, self._hold, self._room)

    def put(self, content: bytes) -> str:
        """Store content, unless it is stored, and return its SHA-256. Raises StorageFull."""
        sha256 = hashlib.sha256(content).hexdigest()
        if self.holds(sha256):
            return sha256
        with self.writer() as writer:
            writer.write(content)
            return writer.commit()

    def read(self, sha256: str) -> bytes:
        """Return content. Raises BlobMissing."""
        with contextlib.suppress(FileNotFoundError):
            return self._files.read(blob_path(sha256))
        self._bring_back(sha256)
        try:
            return self._files.read(blob_path(sha256))
        except FileNotFoundError as error:
            raise BlobMissing(sha256) from error

    def size(self, sha256: str) -> int:
        """Return the length of content in bytes. Raises BlobMissing."""
        self._bring_back(sha256)
        try:
            return self._files.size(blob_path(sha256))
        except FileNotFoundError as error:
            raise BlobMissing(sha256) from error

    def holds(self, sha256: str) -> bool:
        """Hold content that is stored; False when it is not."""
        path = blob_path(sha256)
        self._hold(sha256)
        self._bring_back(sha256)
        return self._files.exists(path)

    def chunks(self, sha256: str, size: int) -> Iterator[bytes]:
        """Yield content in pieces of `size` bytes. Raises BlobMissing."""
        self._bring_back(sha256)
        try:
            yield from self._files.chunks(blob_path(sha256), size)
        except FileNotFoundError as error:
            raise BlobMissing(sha256) from error

    def remove(self, sha256: str, is_needed: Callable[[], bool]) -> bool:
        """Hide content, and remove it unless it is needed after all; False when it was not removed."""
        final, hidden = blob_path(sha256), _hidden_path(sha256)
        with contextlib.suppress(FileNotFoundError):
            self._files.move(final, hidden)
        # Whoever is broken off here leaves content that a reader brings back, or that the next one removes.
        if is_needed():
            self._bring_back(sha256)
            return False
        with contextlib.suppress(FileNotFoundError):
            self._files.remove(hidden)
        return True

    def _bring_back(self, sha256: str) -> None:
        """Make hidden content visible again, unless there is none."""
        final, hidden = blob_path(sha256), _hidden_path(sha256)
        with contextlib.suppress(FileNotFoundError):
            if not self._files.exists(final):
                self._files.move(hidden, final)

    def sweep(self, now: float) -> int:
        """Remove what writers left that were killed long ago, and return how many files those were."""
        count = 0
        for name in self._files.names(_INCOMING):
            path = f"{_INCOMING}/{name}"
            # Somebody else may sweep too.
            with contextlib.suppress(FileNotFoundError):
                if self._files.modified(path) < now - _ABANDONED_SECONDS:
                    self._files.remove(path)
                    count += 1
        return count

    def put_tensors(self, tensors: list[tuple[str, Array]]) -> Tensors:
        """Store named arrays, in their order, as one .npz."""
        buffer = io.BytesIO()
        # Positions are the names inside: a caller's names may repeat or hold what an archive cannot.
        arrays: dict[str, Any] = {str(position): array for position, (_, array) in enumerate(tensors)}
        np.savez_compressed(buffer, **arrays)
        return msgspec.structs.replace(self.describe_tensors(tensors), sha256=self.put(buffer.getvalue()))

    @staticmethod
    def describe_tensors(tensors: list[tuple[str, Array]]) -> Tensors:
        """Describe named arrays without storing them."""
        infos = [TensorInfo(name=name, dtype=str(array.dtype), shape=array.shape) for name, array in tensors]
        return Tensors(sha256="", infos=tuple(infos))

    def read_tensors(self, tensors: Tensors) -> list[tuple[str, Array]]:
        """Return named arrays in their order. Raises BlobMissing."""
        with np.load(io.BytesIO(self.read(tensors.sha256)), allow_pickle=False) as archive:
            return [(info.name, archive[str(position)]) for position, info in enumerate(tensors.infos)]


class BlobWriter:
    """Content on its way: hidden under a temporary name until it is complete.

    Who is called off while a thread still writes may leave at once: leaving waits for that thread.
    """

    def __init__(
        self,
        files: Files,
        max_bytes: int | None = None,
        hold: Callable[[str], None] = _hold_nothing,
        room: Room = ANY_ROOM,
    ) -> None:
        self._files = files
        self._room = room
        self._hold = hold
        self._max_bytes = max_bytes
        self._path = _new_path()
        self._digest = hashlib.sha256()
        self._file: Any = None
        self._busy = threading.Lock()
        self.size = 0

    def __enter__(self) -> Self:
        with self._busy:
            self._file = self._files.create(self._path)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Remove what was not committed."""
        with self._busy:
            if self._file is not None:
                self._files.abandon(self._file, self._path)
                self._file = None

    def write(self, chunk: bytes) -> None:
        """Add the next bytes. Raises ContentTooLarge or StorageFull."""
        self.size += len(chunk)
        if self._max_bytes is not None and self.size > self._max_bytes:
            raise ContentTooLarge(
                f"the content is larger than {self._max_bytes} bytes, the limit of this service",
                maxBytes=str(self._max_bytes),
            )
        self._digest.update(chunk)
        with self._busy, self._room.claim(len(chunk)):
            self._files.write(self._file, chunk)

    def commit(self, sha256: str = "", size: int = 0) -> str:
        """Make the content visible and return its SHA-256.

        Args:
            sha256: what it must be; empty when unknown.
            size: what its length must be; 0 when unknown.

        Raises:
            DigestMismatch: it is something else; nothing is stored.
            StorageFull: the disk is full; nothing is stored.
        """
        digest = self._digest.hexdigest()
        if size and size != self.size:
            raise DigestMismatch(f"{self.size} bytes came, {size} were announced; upload again", size=str(self.size))
        if sha256 and sha256 != digest:
            raise DigestMismatch(
                f"the content has SHA-256 {digest}, {sha256} was announced; upload again", sha256=digest
            )
        with self._busy:
            self._files.finish(self._file)
            self._hold(digest)
            self._files.move(self._path, blob_path(digest))
            self._file = None
        return digest


def blob_path(sha256: str) -> str:
    """Return where content lies. Raises InvalidDigest."""
    return f"{require_digest(sha256)[:2]}/{sha256}"


def _hidden_path(sha256: str) -> str:
    """Return where content lies while it is removed: not among what is swept, since moving leaves its age."""
    return f"removed/{require_digest(sha256)}"


def _new_path() -> str:
    return f"{_INCOMING}/{uuid.uuid4().hex}"
