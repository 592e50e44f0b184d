"""Claims about content under its SHA-256."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from fsspec.implementations.local import LocalFileSystem

from dropaudit.subjects import Array
from dropaudit_store.content.blobs import BlobStore, BlobWriter
from dropaudit_store.content.file_systems import Files
from dropaudit_store.errors import (
    BlobMissing,
    ContentTooLarge,
    DigestMismatch,
    InvalidDigest,
    StorageFull,
    StoreUnavailable,
)
from dropaudit_store.records import Tensors
from support.content import store


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path.as_uri())


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_content_is_found_under_its_digest(blobs: BlobStore) -> None:
    digest = blobs.put(b"content")
    assert digest == hashlib.sha256(b"content").hexdigest()
    assert blobs.read(digest) == b"content"


def test_the_same_content_is_stored_once(blobs: BlobStore, tmp_path: Path) -> None:
    assert blobs.put(b"content") == blobs.put(b"content")
    assert len(files_in(tmp_path)) == 1


def test_missing_content_is_named(blobs: BlobStore) -> None:
    with pytest.raises(BlobMissing, match="f" * 64):
        blobs.read("f" * 64)


@pytest.mark.parametrize(
    "name",
    ["", "a" * 63, "A" * 64, "a" * 64 + "\n", "../../../../../../../etc/passwd", "/etc/passwd", "ab/../" + "a" * 58],
)
def test_what_is_no_digest_never_becomes_a_path(name: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"somebody's")
    held: list[str] = []
    blobs = BlobStore((tmp_path / "blobs").as_uri(), held.append)
    calls: list[Callable[[], object]] = [
        lambda: blobs.read(name),
        lambda: blobs.holds(name),
        lambda: list(blobs.chunks(name, 10)),
        lambda: blobs.remove(name, lambda: False),
        lambda: blobs.read_tensors(Tensors(sha256=name, infos=())),
    ]
    for call in calls:
        with pytest.raises(InvalidDigest, match="64 lower-case hexadecimal digits"):
            call()
    assert held == []
    assert files_in(tmp_path) == [outside]


def test_an_upload_that_breaks_off_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    def broken_off() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store(blobs.writer(), broken_off())
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("digest", "size"), [("0" * 64, 0), ("", 3)])
def test_content_that_is_not_what_was_announced_is_refused(
    blobs: BlobStore, tmp_path: Path, digest: str, size: int
) -> None:
    with pytest.raises(DigestMismatch, match="announced"):
        store(blobs.writer(), [b"content"], digest, size)
    assert files_in(tmp_path) == []


def test_content_over_the_limit_is_refused_as_soon_as_it_is(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(ContentTooLarge, match="larger than 8 bytes"):
        store(blobs.writer(max_bytes=8), [b"12345678", b"9"])
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_and_leaves_nothing(number: int, tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match="full"):
        store(BlobWriter(Files(FullDisk(number), str(tmp_path))), [b"content"])
    assert files_in(tmp_path) == []


class FullDisk(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A file system whose files take no bytes."""

    cachable = False

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def open(self, path: str, mode: str = "rb", **_: object) -> io.FileIO:
        number = self.number

        class Full(io.FileIO):
            def write(self, _: object) -> int:
                raise OSError(number, "no room")

        return Full(path, mode)


def test_tensors_keep_names_types_shapes_and_order(blobs: BlobStore) -> None:
    given: list[tuple[str, Array]] = [
        ("x", np.ones((2, 3), dtype=np.float16)),
        ("../x", np.arange(4)),
        ("", np.array(True)),
    ]
    stored = blobs.put_tensors(given)
    found = blobs.read_tensors(stored)
    assert [name for name, _ in found] == ["x", "../x", ""]
    for (_, before), (_, after) in zip(given, found, strict=True):
        assert before.dtype == after.dtype
        assert np.array_equal(before, after)
    assert [info.shape for info in stored.infos] == [(2, 3), (4,), ()]


def test_a_removal_that_is_broken_off_loses_nothing_that_is_needed(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path.as_uri())

    def gone() -> bool:
        raise StoreUnavailable("Redis does not answer")

    for look in (blobs.read, blobs.holds):
        sha256 = blobs.put(b"content")
        with pytest.raises(StoreUnavailable):
            blobs.remove(sha256, gone)
        look(sha256)
        assert blobs.read(sha256) == b"content"


def test_a_removal_that_was_broken_off_is_finished_by_the_next(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path.as_uri())
    sha256 = blobs.put(b"content")

    def gone() -> bool:
        raise StoreUnavailable("Redis does not answer")

    with pytest.raises(StoreUnavailable):
        blobs.remove(sha256, gone)
    assert blobs.remove(sha256, lambda: False)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_writer_left_is_swept_after_a_day(blobs: BlobStore, tmp_path: Path) -> None:
    assert blobs.sweep(0.0) == 0
    kept = blobs.put(b"content")
    old, young = blobs.writer(), blobs.writer()
    for writer in (old, young):
        writer.__enter__()
    (first, second) = files_in(tmp_path / "incoming")
    written = second.stat().st_mtime
    os.utime(first, (written - 90_000, written - 90_000))
    assert blobs.sweep(written) == 1
    assert files_in(tmp_path / "incoming") == [second]
    assert blobs.read(kept) == b"content"
    assert blobs.sweep(written + 90_000) == 1
    assert files_in(tmp_path / "incoming") == []
    for writer in (old, young):
        writer.__exit__()


def test_content_whose_removal_was_broken_off_is_not_swept(blobs: BlobStore, tmp_path: Path) -> None:
    sha256 = blobs.put(b"content")

    def gone() -> bool:
        raise StoreUnavailable("Redis does not answer")

    with pytest.raises(StoreUnavailable):
        blobs.remove(sha256, gone)
    assert blobs.sweep(time.time() + 90_000) == 0
    assert blobs.read(sha256) == b"content"
