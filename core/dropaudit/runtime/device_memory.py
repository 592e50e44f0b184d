"""How much of a GPU's memory a session may take: set once for a process, as the system's own limits are."""

from __future__ import annotations

_limit = 0


def limit_device_memory(size: int) -> None:
    """Let every session that is made from now on take at most so many bytes of its GPU; 0 for any number."""
    global _limit
    _limit = size


def device_memory_limit() -> int:
    """Return the limit in bytes; 0 where there is none."""
    return _limit
