"""Folders that only their owner may enter, and refusals where somebody else could change what lies in them."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dropaudit.errors import InvalidArgument, UnreadableFile

_OWNER_ALONE = 0o700
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
# The longest path of a unix socket on Linux and macOS, without the zero at its end.
_LONGEST_SOCKET_PATH = 103


@contextmanager
def held_folder(data: Path, parts: tuple[str, ...]) -> Iterator[None]:
    """Make a folder and its parts, closed to everybody else, and hold it: no two services use one at a time.

    Raises:
        UnreadableFile: it cannot be made, or belongs to somebody else.
        InvalidArgument: others may write there, or another service holds it.
    """
    try:
        data.mkdir(mode=_OWNER_ALONE, parents=True, exist_ok=True)
        _require_nobody_else(data)
        for part in parts:
            _close(data / part)
        lock = _opened(data / "lock")
    except OSError as error:
        raise UnreadableFile(f"cannot use {data}: {error.strerror or error}", path=str(data)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidArgument(f"another `dropaudit up` uses {data}; give another --data") from error
        yield


@contextmanager
def socket_path(folder: Path, name: str) -> Iterator[Path]:
    """Yield where a socket may lie: in a private folder or, where that path is too long, in a temporary one."""
    path = folder / name
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="dropaudit-", ignore_cleanup_errors=True) as short:
        yield Path(short) / name


def _require_nobody_else(folder: Path) -> None:
    """Raise InvalidArgument where another user could put a folder of theirs in place of one of ours.

    Where only the owner of an entry may rename it, as in /tmp, the entries are checked themselves.
    """
    found = folder.stat()
    if found.st_uid not in (os.geteuid(), 0) or (found.st_mode & _OTHERS_WRITE and not found.st_mode & stat.S_ISVTX):
        raise InvalidArgument(
            f"other users may write in {folder}, where the service would keep its data; "
            f"give a --data that is yours alone, or run `chmod go-w {folder}`"
        )


def _close(folder: Path) -> None:
    """Make a folder that only this user may enter. Raises OSError where it belongs to somebody else."""
    folder.mkdir(mode=_OWNER_ALONE, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError(f"{folder} belongs to another user")
        os.fchmod(descriptor, _OWNER_ALONE)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "wb")
