"""Claims about what stays free on the disk under Redis."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from dropaudit_store.content.blobs import BlobStore
from dropaudit_store.errors import StorageFull
from dropaudit_store.redis.disk_reserve import Room

MEBIBYTE = 1 << 20


def free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Disk(Room):
    """A room on a disk of a size that a test chooses."""

    def __init__(self, folder: Path, left: int) -> None:
        super().__init__(str(folder))
        self._left = left

    def require(self, more: int = 0) -> None:
        if more > self._left:
            raise StorageFull("the disk is full")


def test_content_on_the_disk_under_redis_counts_while_it_is_written(tmp_path: Path) -> None:
    room = Room(str(tmp_path), free(tmp_path) * 2)
    with BlobStore((tmp_path / "blobs").as_uri(), room=room).writer() as writer, pytest.raises(StorageFull):
        writer.write(b"x")
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


def test_what_is_announced_is_refused_before_it_comes(tmp_path: Path) -> None:
    half = free(tmp_path) // 2
    blobs = BlobStore((tmp_path / "blobs").as_uri(), room=Room(str(tmp_path), half))
    blobs.require_room(MEBIBYTE)
    with pytest.raises(StorageFull):
        blobs.require_room(half + 1024 * MEBIBYTE)


def test_content_elsewhere_does_not_count(tmp_path: Path) -> None:
    elsewhere = Room("/proc", 2**60)
    blobs = BlobStore((tmp_path / "blobs").as_uri(), room=elsewhere)
    blobs.require_room(2**60)
    assert blobs.put(b"content")


def test_those_who_write_at_the_same_time_count_together(tmp_path: Path) -> None:
    room = Disk(tmp_path, 10)
    inside, leave = threading.Event(), threading.Event()

    def write() -> None:
        with room.claim(6):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=write)
    thread.start()
    assert inside.wait(10)
    with pytest.raises(StorageFull), room.claim(6):
        pass
    with room.claim(4):
        pass
    leave.set()
    thread.join()
    with room.claim(10):
        pass
