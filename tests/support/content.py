"""Content for the blob store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dropaudit_store.content.blobs import BlobWriter

MEBIBYTE = 1 << 20


def store(writer: BlobWriter, chunks: Iterable[bytes], sha256: str = "", size: int = 0) -> str:
    """Write chunks and commit them."""
    with writer:
        for chunk in chunks:
            writer.write(chunk)
        return writer.commit(sha256, size)


def pieces(mebibytes: int, breaks_off: bool = False) -> Iterator[bytes]:
    """Yield chunks of 1 MiB, and then break off if asked to."""
    for number in range(mebibytes):
        yield number.to_bytes(8, "little") * (MEBIBYTE // 8)
    if breaks_off:
        raise ConnectionError
