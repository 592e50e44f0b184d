"""The memory that a process has freed and keeps."""

from __future__ import annotations

import ctypes

# mallopt's names for what is given back to the system: free memory at the end of the heap above the first, and every
# block above the second.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT = 2**28
_LARGE = 2**26


def keep_freed_memory() -> None:
    """Let this process use again what it has freed, up to 256 MiB, instead of asking the system for it anew.

    An audit takes and frees arrays of some MiB all the time, and each page that the system hands out anew costs a
    fault. Only GNU's C library can be told; elsewhere nothing changes. For a process that makes audits and nothing
    else: a library leaves the memory of its host alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
        mallopt(_TRIM_THRESHOLD, _KEPT)


def give_back_freed_memory() -> None:
    """Give the system what this process has freed, wherever that lies in the heap.

    The runtime copies all weights while a session is made, and frees them in the end: pieces of some MiB, of which the
    C library would keep all. Only GNU's can be told.
    """
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
