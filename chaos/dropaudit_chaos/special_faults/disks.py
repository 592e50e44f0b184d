"""Disks of the service's own that are full for a while."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from dropaudit_chaos.parts import Service, pause
from dropaudit_client import AuditClient
from dropaudit_client.errors import ServiceError

_MEBIBYTE = 1 << 20
_SIZES = {"blobs": 16 * _MEBIBYTE, "redis": 256 * _MEBIBYTE}
_DOWN_SECONDS = 0.2


class StoredOnFullDisk(RuntimeError):
    """Content was stored, it was said, though there was no room for it."""


@contextmanager
def own_disks(folder: Path) -> Iterator[bool]:
    """Give the folders of blobs and Redis disks of their own while inside; yields whether that is allowed here."""
    mounted = []
    for name, size in _SIZES.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        if _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder / name)):
            mounted.append(folder / name)
    try:
        yield len(mounted) == len(_SIZES)
    finally:
        for each in mounted:
            subprocess.run(["umount", "--lazy", str(each)], check=True)


def _mount(*arguments: str) -> bool:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def fill_content_disk(service: Service, rng: random.Random) -> None:
    """Fill the disk of models for a while, and upload one meanwhile: it is refused, or was never needed.

    Raises:
        StoredOnFullDisk: it is stored.
    """
    content = rng.randbytes(2 * _MEBIBYTE)
    with _filled(service.folder / "blobs"), AuditClient(service.address) as client:
        try:
            name = client.upload_model(content).name
        except ServiceError:
            name = ""
        pause(rng)
    if name:
        raise StoredOnFullDisk(name)


def fill_redis_disk(service: Service, rng: random.Random) -> None:
    """Fill Redis's disk for a while; where Redis ends for that, start it again on its files."""
    with _filled(service.folder / "redis"):
        pause(rng)
    # It may be about to end.
    time.sleep(_DOWN_SECONDS)
    if not service.redis.runs:
        service.redis.start()
    service.await_redis()


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Leave no byte free on a disk while inside."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            _fill(file)
        yield
    finally:
        ballast.unlink(missing_ok=True)


def _fill(file: FileIO) -> None:
    size = _MEBIBYTE
    while size:
        try:
            file.write(bytes(size))
        except OSError:
            size //= 2
