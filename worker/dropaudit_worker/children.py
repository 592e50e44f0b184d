"""What a child of the pool may do. It runs models that nobody vouches for: what it has too much of ends it alone."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from billiard import current_process

from dropaudit.runtime.device_memory import limit_device_memory

_PR_SET_PDEATHSIG = 1
_FILES = 256
# A model has at most 2 GiB, and so has the copy that a default session writes.
_FILE_BYTES = 4 << 30
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Limits of one child.

    Attributes:
        memory_bytes: what it may hold beside the files it has mapped; 0 for any.
        gpus: how many there are: each child sees one.
        gpu_memory_bytes: what one session may take of its GPU; 0 for any.
        cores: the processors of the first child, of the second, and so on; none for any.
    """

    memory_bytes: int
    gpus: int = 0
    gpu_memory_bytes: int = 0
    cores: tuple[tuple[int, ...], ...] = ()


def confine(limits: ChildLimits) -> None:
    """Set the limits of this process, for good."""
    if limits.memory_bytes:
        _lower(resource.RLIMIT_DATA, limits.memory_bytes)
    _lower(resource.RLIMIT_NOFILE, _FILES)
    _lower(resource.RLIMIT_FSIZE, _FILE_BYTES)
    # A crash must not fill the disk with what the model made of memory.
    _lower(resource.RLIMIT_CORE, 0)
    if limits.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, limits.cores[_number() % len(limits.cores)])
    if limits.gpus:
        # Before the runtime is loaded, which takes the first device that it sees.
        os.environ["CUDA_VISIBLE_DEVICES"] = str(_number() % limits.gpus)
    limit_device_memory(limits.gpu_memory_bytes)


def _number() -> int:
    """Return which of the pool's children this is."""
    return int(getattr(current_process(), "index", 0))


def _lower(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    lowest = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (lowest, lowest))


class Orphan:
    """Ends a child whose parent is gone: at once when it waits for work, otherwise as soon as it has left its audit."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._busy = False

    def watch(self) -> None:
        """Have the kernel tell this process when its parent dies; Linux only."""
        if sys.platform.startswith("linux"):
            signal.signal(signal.SIGUSR2, self._told)
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR2)

    def is_one(self) -> bool:
        """Whether the parent is gone."""
        return os.getppid() != self._parent

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Let the work inside come to its end first."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            if self.is_one():
                self._end()

    def _told(self, _: int, __: FrameType | None) -> None:
        if self.is_one() and not self._busy:
            self._end()

    @staticmethod
    def _end() -> None:
        # Nobody reads what it would say, and its files are the parent's.
        os._exit(0)


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Have the kernel end this process when the block takes longer, whatever runs in it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
