"""Work spread over processes, of which one may die."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# A runtime that has started threads does not survive a fork.
_CONTEXT = multiprocessing.get_context("spawn")


def over_processes(
    function: Callable[[Item], Result], items: Sequence[Item], processes: int
) -> Iterator[tuple[Item, Result | None]]:
    """Yield each item with its result as they come, and with None where a process died of it.

    Args:
        function: importable by name; runs in another process, or here when `processes` is 1.
        items: what to call it with.
        processes: how many at a time.
    """
    if processes == 1:
        yield from ((item, function(item)) for item in items)
        return
    suspects: list[Item] = []
    with ProcessPoolExecutor(processes, _CONTEXT) as pool:
        waiting = {pool.submit(function, item): item for item in items}
        for future in as_completed(waiting):
            if _died(future):
                suspects.append(waiting[future])
            else:
                yield waiting[future], future.result()
    # A death takes down all that waited; each of them gets a process of its own.
    for item in suspects:
        with ProcessPoolExecutor(1, _CONTEXT) as pool:
            future = pool.submit(function, item)
            yield item, None if _died(future) else future.result()


def _died(future: Future[Result]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)
