"""Work on several processes at once, within the machine's cores and memory."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# A runtime that has started threads does not survive a fork.
_CONTEXT = multiprocessing.get_context("spawn")
_MEMINFO = Path("/proc/meminfo")
_CGROUP_LIMIT, _CGROUP_USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
# The rest is for what else the machine does.
_SHARE = 0.8


def usable_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> int:
    """Return how many bytes audits may take: of what the machine has free, or the container where that is less."""
    return int(_SHARE * min([*_free_of_machine(), *_free_of_container(), 1 << 62]))


def _free_of_machine() -> Iterator[int]:
    with suppress(OSError, ValueError, IndexError):
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        yield from (int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


def _free_of_container() -> Iterator[int]:
    with suppress(OSError, ValueError):
        limit, used = (int(path.read_text(encoding="ascii")) for path in (_CGROUP_LIMIT, _CGROUP_USED))
        yield max(0, limit - used)


def side_by_side(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    *,
    memory: int,
    need: Callable[[Item], int],
) -> Iterator[tuple[Item, Result | None]]:
    """Yield each item with its result as they come, and with None where a process died of it.

    At any time those that run need no more than the memory together, but for one that needs more by itself: it runs
    alone. A process that dies takes down what runs beside it; each of those is tried again in a process of its own.

    Args:
        function: importable by name; runs in another process.
        items: what to call it with.
        processes: how many at a time, at most.
        memory: bytes, for all of them.
        need: about how many bytes an item takes.
    """
    waiting = deque(items)
    while waiting:
        crew = _Crew[Item, Result](function, memory, need, waiting, processes)
        yield from crew.work()
        for item in crew.suspects:
            alone = _Crew[Item, Result](function, memory, need, deque([item]), 1)
            yield from alone.work()
            if alone.suspects:
                yield item, None


@dataclass(slots=True)
class _Crew(Generic[Item, Result]):
    """A pool that is given no more than it may run at once, until one of its processes dies."""

    function: Callable[[Item], Result]
    memory: int
    need: Callable[[Item], int]
    waiting: deque[Item]
    processes: int
    running: dict[Future[Result], Item] = field(default_factory=dict)
    suspects: list[Item] = field(default_factory=list)
    is_broken: bool = False

    def work(self) -> Iterator[tuple[Item, Result]]:
        """Yield items with their results; those that ran when a process died are `suspects`, the others still wait."""
        pool = ProcessPoolExecutor(self.processes, _CONTEXT)
        try:
            while (self.waiting or self.running) and not self.is_broken:
                self._fill(pool)
                yield from self._finished()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _fill(self, pool: ProcessPoolExecutor) -> None:
        while self.waiting and len(self.running) < self.processes and self._fits(self.waiting[0]):
            item = self.waiting[0]
            try:
                future = pool.submit(self.function, item)
            except BrokenProcessPool:
                self.is_broken = True
                return
            self.running[future] = self.waiting.popleft()

    def _fits(self, item: Item) -> bool:
        taken = sum(map(self.need, self.running.values()))
        return not self.running or taken + self.need(item) <= self.memory

    def _finished(self) -> Iterator[tuple[Item, Result]]:
        done, _ = wait(self.running, return_when=FIRST_COMPLETED)
        self.is_broken |= any(isinstance(future.exception(), BrokenProcessPool) for future in done)
        if self.is_broken:
            # Those that are not done yet will fail in the same way.
            done, _ = wait(self.running)
        for future in done:
            item = self.running.pop(future)
            if isinstance(future.exception(), BrokenProcessPool):
                self.suspects.append(item)
            else:
                yield item, future.result()
