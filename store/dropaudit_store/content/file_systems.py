"""File systems as fsspec gives them, where a disk and an object store differ: renaming, syncing, giving up."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any, Self

import fsspec
import structlog
from fsspec.implementations.local import LocalFileSystem

from dropaudit_store.errors import StoreUnavailable, disk_errors

# The chunk in which an object store sends and fetches; its own default would keep 50 MiB of each upload in memory.
_BLOCK_BYTES = 8 << 20

_log = structlog.get_logger(__name__)


class Files:
    """The files below a root. Paths are relative to it.

    Every method raises StoreUnavailable where an object store does not answer as it should, and those that write raise
    StorageFull.
    """

    def __init__(self, system: Any, root: str) -> None:
        self._system = system
        self._root = root.rstrip("/")
        self._is_local = isinstance(system, LocalFileSystem)

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the files below any URL that fsspec knows."""
        # Others write too: a listing that is kept would hide what they do.
        return cls(*fsspec.core.url_to_fs(url, use_listings_cache=False))

    @property
    def folder(self) -> str:
        """Where the files lie on this machine; empty for an object store."""
        return self._root if self._is_local else ""

    def create(self, path: str) -> Any:
        """Begin a new file."""
        with self._writing():
            self._make_folder(path)
            return self._system.open(self._full(path), "wb", block_size=_BLOCK_BYTES)

    def write(self, file: Any, chunk: bytes) -> None:
        """Add bytes to a new file."""
        with self._writing():
            file.write(chunk)
            if self._is_local:
                # So that the disk says what is left.
                file.flush()

    def finish(self, file: Any) -> None:
        """Close a new file; afterwards it outlives a loss of power."""
        with self._writing():
            if self._is_local:
                file.flush()
                os.fsync(file.fileno())
            file.close()

    def abandon(self, file: Any, path: str) -> None:
        """Remove a new file, finished or not."""
        if not self._is_local and not file.closed:
            # Closing it would complete it.
            with contextlib.suppress(StoreUnavailable), self._writing():
                file.discard()
            file.closed = True
            return
        # On a full disk closing fails too, since it flushes; the file is closed all the same.
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(FileNotFoundError, StoreUnavailable):
            self.remove(path)

    def move(self, source: str, target: str) -> None:
        """Give a file another name, at once. Raises FileNotFoundError."""
        with self._reading(), disk_errors():
            if self._is_local:
                self._make_folder(target)
                self._system.mv(self._full(source), self._full(target))
                return
            self._system.cp_file(self._full(source), self._full(target))
            self._system.rm_file(self._full(source))

    def read(self, path: str) -> bytes:
        """Return a file's content. Raises FileNotFoundError."""
        with self._reading():
            content: bytes = self._system.cat_file(self._full(path))
            return content

    def chunks(self, path: str, size: int) -> Iterator[bytes]:
        """Yield a file's content in pieces of `size` bytes. Raises FileNotFoundError."""
        with self._reading(), self._system.open(self._full(path), "rb", block_size=_BLOCK_BYTES) as file:
            while chunk := file.read(size):
                yield chunk

    def size(self, path: str) -> int:
        """Return the length of a file in bytes. Raises FileNotFoundError."""
        with self._reading():
            return int(self._system.info(self._full(path))["size"])

    def exists(self, path: str) -> bool:
        """Whether there is a file."""
        with self._reading():
            return bool(self._system.exists(self._full(path)))

    def remove(self, path: str) -> None:
        """Remove a file. Raises FileNotFoundError, but no object store does."""
        with self._reading():
            self._system.rm_file(self._full(path))

    def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder, which may not be there."""
        try:
            with self._reading():
                found = self._system.ls(self._full(folder), detail=False)
        except FileNotFoundError:
            return []
        return [str(path).rpartition("/")[2] for path in found]

    def below(self, folder: str) -> Iterator[str]:
        """Yield the paths of all files below a folder, relative to it. Raises FileNotFoundError."""
        whole = self._full(folder).rstrip("/")
        with self._reading():
            found = self._system.find(whole)
        for path in found:
            yield str(path).removeprefix(f"{whole}/")

    def mark(self, path: str) -> str:
        """Return what changes when a file does: its size, and its entity tag or when it was written."""
        with self._reading():
            found = self._system.info(self._full(path))
        known = (found.get(name) for name in ("size", "ETag", "VersionId", "mtime", "ino", "LastModified"))
        return "|".join(str(each) for each in known)

    def modified(self, path: str) -> float:
        """Return when a file was written last, in seconds since the epoch. Raises FileNotFoundError."""
        with self._reading():
            return float(self._system.modified(self._full(path)).timestamp())

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _make_folder(self, path: str) -> None:
        if self._is_local:
            self._system.makedirs(self._full(path).rpartition("/")[0], exist_ok=True)

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        with self._answering(lambda error: isinstance(error, FileNotFoundError)):
            yield

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Of what is not there yet, an object store misses nothing but its bucket."""
        with disk_errors(), self._answering(lambda _: False):
            yield

    @contextlib.contextmanager
    def _answering(self, is_expected: Callable[[Exception], bool]) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each of fsspec's file systems raises errors of its own
            if self._is_local or is_expected(error):
                raise
            _log.warning("the blob store does not answer as it should", exc_info=error)
            raise StoreUnavailable(
                "the blob store does not answer as it should; check that it runs, that its bucket exists and that "
                "credentials are good, and try again"
            ) from error
