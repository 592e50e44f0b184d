"""Files that weights lie in: in memory, or on this machine's disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np

from dropaudit.errors import UnreadableFile

CHUNK_BYTES = 1 << 20
# Room for what is read from a position on.
Room = Callable[[int], memoryview]


class DataFile(Protocol):
    """The content of one file."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    def chunks(self) -> Iterator[memoryview]:
        """Yield it in pieces of at most CHUNK_BYTES. Raises UnreadableFile."""

    def content(self) -> memoryview:
        """Return all of it, in memory. Raises UnreadableFile."""


@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """A file's content that is in memory already."""

    values: memoryview = field(repr=False)

    @property
    def size(self) -> int:
        """See DataFile."""
        return len(self.values)

    def chunks(self) -> Iterator[memoryview]:
        """See DataFile."""
        for start in range(0, len(self.values), CHUNK_BYTES):
            yield self.values[start : start + CHUNK_BYTES]

    def content(self) -> memoryview:
        """See DataFile."""
        return self.values


class InPieces:
    """A file's content that is in memory already, in pieces that lie one after the other in the file."""

    def __init__(self, pieces: tuple[memoryview, ...]) -> None:
        self._pieces = pieces

    @property
    def size(self) -> int:
        """See DataFile."""
        return sum(map(len, self._pieces))

    def chunks(self) -> Iterator[memoryview]:
        """See DataFile."""
        for piece in self._pieces:
            yield from InMemory(piece).chunks()

    def content(self) -> memoryview:
        """See DataFile. It is a copy."""
        return memoryview(b"".join(self._pieces))


@dataclass(frozen=True, slots=True, eq=False)
class OnDisk:
    """A regular file, or a part of one, read when it is asked for; one that changes after it was found is refused."""

    path: Path
    size: int
    mark: tuple[int, ...]
    start: int = 0

    @classmethod
    def at(cls, path: Path) -> OnDisk:
        """Find a file. Raises UnreadableFile for what is not a regular one, or cannot be read."""
        with reading(path):
            descriptor = _opened(path)
            try:
                return cls.opened(path, descriptor)
            finally:
                os.close(descriptor)

    @classmethod
    def opened(cls, path: Path, descriptor: int) -> OnDisk:
        """Return the file that is open."""
        return cls(path, os.fstat(descriptor).st_size, _mark(descriptor))

    def part(self, start: int, size: int) -> OnDisk:
        """Return so many bytes from a position on."""
        return replace(self, start=self.start + start, size=size)

    def chunks(self) -> Iterator[memoryview]:
        """See DataFile."""
        buffer = memoryview(bytearray(min(CHUNK_BYTES, max(1, self.size))))
        for filled in self._filled(lambda start: buffer[: self.size - start]):
            yield buffer[:filled].toreadonly()

    def content(self) -> memoryview:
        """See DataFile. It is a copy, so that nothing that happens to the file afterwards reaches an audit."""
        found = np.empty(self.size, np.uint8).data
        for _ in self._filled(lambda start: found[start : start + CHUNK_BYTES]):
            pass
        return found.toreadonly()

    def _filled(self, room: Room) -> Iterator[int]:
        """Read it from its start into the room that is given for each position; yield how much was read."""
        with reading(self.path):
            descriptor = _opened(self.path)
        try:
            os.lseek(descriptor, self.start, os.SEEK_SET)
            start = 0
            while start < self.size:
                with reading(self.path):
                    count = os.readv(descriptor, [room(start)])
                if not count:
                    break
                yield count
                start += count
            if _mark(descriptor) != self.mark:
                raise UnreadableFile(
                    f"{self.path} changed while it was read; try again when it is complete", path=str(self.path)
                )
        finally:
            os.close(descriptor)


def plain_name(name: str) -> str | None:
    """Return the name of a file below a folder in its plain form; None for one that leads elsewhere, or nowhere.

    "./weights//a.bin" -> "weights/a.bin", "/etc/passwd" -> None, "../a.bin" -> None
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        return None
    return str(path)


def file_below(folder: Path, name: str) -> Path | None:
    """Return the regular file of a name below a folder, links followed but not out of it; None where there is none."""
    plain = plain_name(name)
    if plain is None:
        return None
    try:
        real = (folder / plain).resolve()
        return real if real.is_relative_to(folder.resolve()) and real.is_file() else None
    except (OSError, RuntimeError):  # links in a circle, before Python 3.13
        return None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise UnreadableFile, which names the file, for what the system says of it."""
    try:
        yield
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error


def _opened(path: Path) -> int:
    """Open a regular file; a pipe that nobody writes to is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableFile(f"cannot read {path}: it is not a file", path=str(path))
    return descriptor


def _mark(descriptor: int) -> tuple[int, ...]:
    """Return what changes when a file does."""
    found = os.fstat(descriptor)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
