"""The machine's resources for a worker's children."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from dropaudit_worker.pool.children import MEBIBYTE, ChildLimits
from dropaudit_worker.settings import WorkerSettings

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
# The rest is for the parent, and for what else the machine does.
_SHARE = 0.8
_LOOK_SECONDS = 60
# In a process of its own: a driver that was asked once cannot be used after a fork.
_COUNT_GPUS = "from dropaudit.runtime.provider import count_cuda_devices; print(count_cuda_devices())"


def count_gpus() -> int:
    """Return how many CUDA devices the runtime can use; 0 where it is built without, or there is none."""
    with suppress(OSError):
        ctypes.CDLL("libcuda.so.1")
        return _count_gpus()
    return 0


def _count_gpus() -> int:
    command = [sys.executable, "-c", _COUNT_GPUS]
    with suppress(subprocess.SubprocessError, ValueError):
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_LOOK_SECONDS, check=True)
        return int(asked.stdout)
    return 0


def usable_cores() -> list[int]:
    """Return the processors that this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def machine_memory() -> int:
    """Return how much memory there is, in bytes: the machine's, or the container's where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        total = min(total, int(_CGROUP_LIMIT.read_text(encoding="ascii")))
    return total


def children(settings: WorkerSettings, gpus: int, cores: Sequence[int], memory: int) -> tuple[int, ChildLimits]:
    """Return how many children a worker has, and what each may do: one for each GPU, or for each share of the cores."""
    count = settings.concurrency or gpus or max(1, len(cores) // settings.cores_per_audit)
    share = settings.memory_limit_mebibytes * MEBIBYTE or int(memory * _SHARE / count)
    device_memory = settings.gpu_memory_limit_mebibytes * MEBIBYTE
    limits = ChildLimits(share, gpus=gpus, gpu_memory_bytes=device_memory, cores=_shares(cores, count))
    return count, limits


def _shares(cores: Sequence[int], count: int) -> tuple[tuple[int, ...], ...]:
    """Divide cores evenly; where there are fewer than children, some children share one."""
    if len(cores) < count:
        return tuple((cores[number % len(cores)],) for number in range(count))
    size = len(cores) // count
    return tuple(tuple(cores[number * size : (number + 1) * size]) for number in range(count))
