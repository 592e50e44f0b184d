"""The children of the pool: each has a share of the machine, for itself and for the sandbox that it keeps."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType

from billiard import current_process

from dropaudit_worker.sandbox.confinement.kernel import IS_LINUX, PR_SET_PDEATHSIG, prctl
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits, lower

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Limits of one child.

    Attributes:
        memory_bytes: what its sandbox may hold beside the files it has mapped; 0 for any.
        gpus: how many there are: each child's sandbox sees one.
        gpu_memory_bytes: what one session may take of that; 0 for any.
        cores: the processors of the first child, of the second, and so on; none for any.
    """

    memory_bytes: int
    gpus: int = 0
    gpu_memory_bytes: int = 0
    cores: tuple[tuple[int, ...], ...] = ()

    @property
    def of_sandbox(self) -> SandboxLimits:
        """Limits of the sandbox of a child."""
        return SandboxLimits(
            memory_bytes=self.memory_bytes, gpu=bool(self.gpus), gpu_memory_bytes=self.gpu_memory_bytes
        )


def prepare(limits: ChildLimits) -> None:
    """Give this process, and the sandbox that it will start, its cores and its GPU."""
    lower(resource.RLIMIT_CORE, 0)
    if limits.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, limits.cores[_number() % len(limits.cores)])
    if limits.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(_number() % limits.gpus)


def _number() -> int:
    """Return which of the pool's children this is."""
    return int(getattr(current_process(), "index", 0))


class Orphan:
    """Ends a child whose parent is gone: at once when it waits for work, otherwise as soon as it has left its audit."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._busy = False

    def watch(self) -> None:
        """Have the kernel tell this process when its parent dies; Linux only."""
        if IS_LINUX:
            signal.signal(signal.SIGUSR2, self._told)
            prctl(PR_SET_PDEATHSIG, signal.SIGUSR2)

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
