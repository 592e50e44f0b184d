"""Whether the disk under Redis has room for anything new."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dropaudit_store.errors import StorageFull


@dataclass(eq=False)
class Room:
    """Free space kept on the disk under Redis, for work that was accepted before.

    A Redis that writes its append-only file before it answers ends itself when the disk is full, and can refuse nothing
    any more. So what is new is refused earlier.

    Attributes:
        folder: where Redis's append-only file can be seen; empty where it cannot.
        reserve_bytes: what must be free there.
    """

    folder: str = ""
    reserve_bytes: int = 0
    _claimed: int = field(default=0, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def require(self, more: int = 0) -> None:
        """Raise StorageFull when less is free, or would be after `more` bytes.

        A missing folder does not refuse anything.
        """
        if not self.folder:
            return
        try:
            disk = os.statvfs(self.folder)
        except OSError:
            return
        if disk.f_bavail * disk.f_frsize - more < self.reserve_bytes:
            raise StorageFull("the disk under Redis is almost full; delete audits or give it more room")

    @contextmanager
    def claim(self, size: int) -> Iterator[None]:
        """Write `size` bytes to that disk inside, beside others that write at the same time. Raises StorageFull."""
        with self._lock:
            self.require(self._claimed + size)
            self._claimed += size
        try:
            yield
        finally:
            with self._lock:
                self._claimed -= size

    def is_shared_with(self, folder: str) -> bool:
        """Whether a folder, or the next one above it that exists, is on the disk under Redis."""
        path = Path(folder)
        while not path.exists() and path != path.parent:
            path = path.parent
        with suppress(OSError):
            return bool(self.folder) and os.stat(self.folder).st_dev == os.stat(path).st_dev
        return False


# No disk check.
ANY_ROOM = Room()
