"""Models that were not uploaded: read from where a URI leads, and from nowhere else."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from dropaudit_store.content.file_systems import Files
from dropaudit_store.errors import ContentTooLarge, StoreUnavailable, UriRefused, UriUnreadable
from dropaudit_store.shared.allowed_uris import AllowedUris, Uri

_CHUNK_BYTES = 1 << 20
_OPEN_FILES = Path("/proc/self/fd")


class ReferencedModels:
    """Reads the models below an operator's prefixes.

    Args:
        max_bytes: largest model that is read.
    """

    def __init__(self, allowed: AllowedUris, max_bytes: int) -> None:
        self._allowed = allowed
        self._max_bytes = max_bytes

    def read(self, text: str) -> bytes:
        """Return the content at a URI.

        Raises:
            UriRefused: it is not allowed, or a link leads out of what is.
            UriUnreadable: nothing can be read there.
            ContentTooLarge: it exceeds the limit.
            StoreUnavailable: the object store does not answer.
        """
        return b"".join(self._chunks(self._required(text)))

    def size(self, text: str) -> int:
        """Return the length of the content at a URI in bytes. Raises what `read` does."""
        uri = self._required(text)
        if uri.bucket:
            with _object_errors(uri):
                size = Files.at(f"s3://{uri.bucket}").size(uri.path)
        else:
            with self._opened(uri) as file:
                size = os.fstat(file.fileno()).st_size
        self._require_small(uri, size)
        return size

    def chunks(self, text: str, size: int) -> Iterator[bytes]:
        """Yield the content at a URI, which had `size` bytes a moment ago.

        Raises:
            UriUnreadable: it has more or fewer by now; and what `read` raises.
        """
        uri, left = self._required(text), size
        for chunk in self._chunks(uri):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
        if left:
            raise _unreadable(uri, "it was changed while it was read")

    def digest(self, text: str) -> str:
        """Return the SHA-256 of the content at a URI, which is not kept. Raises what `read` does."""
        uri, digest = self._required(text), hashlib.sha256()
        for chunk in self._chunks(uri):
            digest.update(chunk)
        return digest.hexdigest()

    def mark(self, text: str) -> str:
        """Return what changes when the content at a URI does. Raises what `read` does."""
        uri = self._required(text)
        try:
            if not uri.bucket:
                found = os.stat(uri.path)
                return f"{found.st_size}|{found.st_mtime_ns}|{found.st_ctime_ns}|{found.st_ino}"
            with _object_errors(uri):
                return Files.at(f"s3://{uri.bucket}").mark(uri.path)
        except OSError as error:
            raise _unreadable(uri, error.strerror or str(error)) from error

    def _required(self, text: str) -> Uri:
        try:
            return self._allowed.require(text)
        except UriRefused as error:
            raise UriRefused(f"{text!r} {error.message}", uri=text) from error

    def _chunks(self, uri: Uri) -> Iterator[bytes]:
        """Yield the content at a URI, as long as it is not too large."""
        size = 0
        for chunk in _object(uri) if uri.bucket else self._file(uri):
            size += len(chunk)
            self._require_small(uri, size)
            yield chunk

    def _require_small(self, uri: Uri, size: int) -> None:
        if size > self._max_bytes:
            raise ContentTooLarge(
                f"{uri.text} is larger than {self._max_bytes} bytes, the limit of this service",
                maxBytes=str(self._max_bytes),
            )

    def _file(self, uri: Uri) -> Iterator[bytes]:
        with self._opened(uri) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk

    @contextmanager
    def _opened(self, uri: Uri) -> Iterator[BinaryIO]:
        try:
            file = open(uri.path, "rb", opener=_open_at_once)  # noqa: SIM115  # closed below
        except OSError as error:
            raise _unreadable(uri, error.strerror or str(error)) from error
        with file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise _unreadable(uri, "it is not a file")
            self._require_inside(uri, file.fileno())
            yield file

    def _require_inside(self, uri: Uri, descriptor: int) -> None:
        """Raise UriRefused when what was opened lies elsewhere: links are followed, but not out of what is allowed."""
        opened = _OPEN_FILES / str(descriptor)
        real = (opened if _OPEN_FILES.exists() else Path(uri.path)).resolve()
        roots = [Path(prefix.path).resolve() for prefix in self._allowed.prefixes if not prefix.bucket]
        if not any(real.is_relative_to(root) for root in roots):
            raise UriRefused(f"{uri.text} is a link that leads out of the allowed prefixes", uri=uri.text)


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to is not waited for."""
    return os.open(path, flags | os.O_NONBLOCK)


def _object(uri: Uri) -> Iterator[bytes]:
    with _object_errors(uri):
        yield from Files.at(f"s3://{uri.bucket}").chunks(uri.path, _CHUNK_BYTES)


@contextmanager
def _object_errors(uri: Uri) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _unreadable(uri, "there is nothing") from error
    except StoreUnavailable as error:
        if isinstance(error.__cause__, PermissionError):
            raise _unreadable(uri, "the worker's credentials do not allow it") from error
        raise


def _unreadable(uri: Uri, why: str) -> UriUnreadable:
    return UriUnreadable(f"{uri.text} cannot be read by the worker: {why}", uri=uri.text)
