"""How often the kernel has ended a process for want of memory."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_CGROUP_EVENTS = Path("/sys/fs/cgroup/memory.events")
_SYSTEM_EVENTS = Path("/proc/vmstat")
_KILLS = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


def memory_kills() -> int:
    """Return how many processes the kernel has ended here for want of memory; 0 where it does not say."""
    for path in (_CGROUP_EVENTS, _SYSTEM_EVENTS):
        with suppress(OSError):
            found = _KILLS.search(path.read_text(encoding="ascii"))
            if found is not None:
                return int(found[1])
    return 0
