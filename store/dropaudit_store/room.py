"""Whether the disk under Redis has room for anything new."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dropaudit_store.errors import StorageFull


@dataclass(frozen=True, slots=True)
class Room:
    """What is kept free on the disk under Redis, for what was accepted before.

    A Redis that writes its append-only file before it answers ends itself when the disk is full, and can refuse nothing
    any more. So what is new is refused earlier.

    Attributes:
        folder: where Redis's append-only file can be seen; empty where it cannot.
        reserve_bytes: what must be free there.
    """

    folder: str = ""
    reserve_bytes: int = 0

    def require(self) -> None:
        """Raise StorageFull when less is free. A folder that is not there is no reason to refuse anything."""
        if not self.folder:
            return
        try:
            disk = os.statvfs(self.folder)
        except OSError:
            return
        if disk.f_bavail * disk.f_frsize < self.reserve_bytes:
            raise StorageFull("the disk under Redis is almost full; delete audits or give it more room")


# Nobody looks.
ANY_ROOM = Room()
