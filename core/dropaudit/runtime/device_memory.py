"""How much of a GPU's memory a session may take: set once for a process, as the system's own limits are."""

from __future__ import annotations

import msgspec

_limit = 0
# Of a number, and of what it is made from.
_BYTES = 8


def limit_device_memory(size: int) -> None:
    """Let every session that is made from now on take at most so many bytes of its GPU; 0 for any number."""
    global _limit
    _limit = size


class Memory(msgspec.Struct, frozen=True):
    """A device's memory in bytes; what other processes hold is not free."""

    free: int
    total: int


def numbers_that_fit(wanted: int, memory: Memory | None, limit: int) -> int:
    """Return how many numbers of single precision a run may make: as wanted, or halved until they fit.

    Halved, so that a little less memory than last time seldom makes another sample.

    Args:
        wanted: where there is enough.
        memory: of the device; None where it is not known.
        limit: bytes that a session may take; 0 for any number.
    """
    room = min(([] if memory is None else [memory.free]) + ([limit] if limit else []), default=0)
    while room and wanted > 1 and _BYTES * wanted > room:
        wanted //= 2
    return wanted


def device_memory_limit() -> int:
    """Return the limit in bytes; 0 where there is none."""
    return _limit
