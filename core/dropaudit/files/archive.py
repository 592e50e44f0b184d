"""Archives of several files: plain tar, so that any tool makes and reads them, and weights lie in it as they are."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping

from dropaudit.files.data_files import DataFile

# What the ONNX file is called in an archive that is made here.
MODEL = "model.onnx"
# Bytes from which on it shows whether content is an archive.
HEADER_BYTES = 512
_MAGIC, _MAGIC_AT = b"ustar", 257
_END = bytes(2 * HEADER_BYTES)


def is_archive(content: bytes | memoryview) -> bool:
    """Whether content is an archive, and not an ONNX file; its first HEADER_BYTES tell."""
    return bytes(content[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)]) == _MAGIC


def archive_chunks(members: Mapping[str, DataFile]) -> Iterator[bytes | memoryview]:
    """Yield an archive; the same names and contents in the same order are the same bytes. Raises UnreadableFile."""
    for name, file in members.items():
        yield _header(name, file.size)
        yield from file.chunks()
        yield bytes(_padding(file.size))
    yield _END


def archive_size(members: Mapping[str, DataFile]) -> int:
    """Return the length of the archive in bytes."""
    sizes = (len(_header(name, file.size)) + file.size + _padding(file.size) for name, file in members.items())
    return sum(sizes) + len(_END)


def _header(name: str, size: int) -> bytes:
    # No times and no owners: they would be other bytes for the same model.
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> int:
    return -size % HEADER_BYTES
