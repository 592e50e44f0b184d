"""The machine's resources for a worker's children."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from dropaudit.errors import InvalidArgument
from dropaudit_worker.pool.children import MEBIBYTE, ChildLimits
from dropaudit_worker.settings import WorkerSettings

_CGROUP = Path("/sys/fs/cgroup")
# Of the second version, and of the first.
_MEMORY_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
_CPU_LIMIT = "cpu.max"
_OLD_CPU_LIMITS = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")
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


def usable_gpus(device: str, count: Callable[[], int] = count_gpus) -> int:
    """Return how many GPUs a worker uses, as its setting says. Raises InvalidArgument for `gpu` without one."""
    gpus = 0 if device == "cpu" else count()
    if device == "gpu" and not gpus:
        raise InvalidArgument("DROPAUDIT_DEVICE: no CUDA device answers; say cpu or auto")
    return gpus


def _count_gpus() -> int:
    command = [sys.executable, "-c", _COUNT_GPUS]
    with suppress(subprocess.SubprocessError, ValueError):
        asked = subprocess.run(command, capture_output=True, text=True, timeout=_LOOK_SECONDS, check=True)
        return int(asked.stdout)
    return 0


def usable_cores(cgroup: Path = _CGROUP, host: str = "") -> list[int]:
    """Return the processors that this process may use: the machine's, or as many as the container's share of time.

    Args:
        host: name of the container. Containers with a share each begin at a processor that follows from their names:
            otherwise all of them would crowd on the first ones.
    """
    found = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    share = min(len(found), max(1, _cpu_share(cgroup)))
    first = 0 if share == len(found) else zlib.crc32((host or platform.node()).encode()) % len(found)
    return sorted((found[first:] + found[:first])[:share])


def _cpu_share(cgroup: Path) -> int:
    """Return how many whole processors' time the container may take."""
    with suppress(OSError, ValueError):
        quota, period = (cgroup / _CPU_LIMIT).read_text(encoding="ascii").split()
        return int(quota) // int(period)
    with suppress(OSError, ValueError):
        quota, period = ((cgroup / name).read_text(encoding="ascii") for name in _OLD_CPU_LIMITS)
        return int(quota) // int(period) if int(quota) > 0 else sys.maxsize
    return sys.maxsize


def machine_memory(cgroup: Path = _CGROUP) -> int:
    """Return how much memory there is, in bytes: the machine's, or the container's where that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in _MEMORY_LIMITS:
        with suppress(OSError, ValueError):
            total = min(total, int((cgroup / name).read_text(encoding="ascii")))
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
