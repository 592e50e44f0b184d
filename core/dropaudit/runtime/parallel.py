"""Replicates drawn on several cores at once.

The runtime's random operators are single threaded. So replicates are drawn by several streams, each with a session
and generators of its own, and several threads work on the streams. Which stream draws which piece does not depend on
the number of threads: one seed gives one sample on every machine.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache

import numpy as np
import onnx

from dropaudit.graph.passes.seeds import holds_dropout, holds_seeds, seeded
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Found, Layout, Use, parts, pieces_for
from dropaudit.runtime.session import Session, Tensors, draw_seed

# A stream costs a session, and memory that is new to it: more of them are slower on few cores, and need more memory.
_STREAMS = 4
# A Dropout seeds its runs with s, s + 1, …; few of those are as good as random seeds, a thousand are not. The first
# cell of each is nearly the same, which is nothing among many.
RUNS_OF_ONE_SEED = 16
# Below this, starting a second thread costs more than it saves.
_WORTH_DIVIDING = 2**16


class Stream:
    """Runs of one model that draw from generators of their own, whatever else the process runs."""

    def __init__(
        self,
        model: onnx.ModelProto,
        place: Device,
        seeds: np.random.Generator,
        runs_of_one_seed: int = RUNS_OF_ONE_SEED,
    ) -> None:
        self.runs_of_one_seed = runs_of_one_seed
        self._model, self._place, self._seeds = model, place, seeds
        self._renews = holds_dropout(model) or holds_seeds(model)
        self._session: Session | None = None
        self._runs = 0

    def run(self, feeds: Tensors, names: Sequence[str]) -> Tensors:
        """Run once. Raises InvalidModel or ExecutionFailed."""
        if self._session is None or (self._renews and self._runs == self.runs_of_one_seed):
            model = seeded(self._model, lambda: draw_seed(self._seeds)) if self._renews else self._model
            self._session = Session(model, self._place, self._seeds, reseeds=False)
            self._runs = 0
        self._runs += 1
        return self._session.run(feeds, names)


def streams_of(model: onnx.ModelProto, place: Device, seeds: np.random.Generator) -> tuple[Stream, ...]:
    """Return the streams of a model that carries no seeds; their sessions are made when they are needed."""
    return tuple(Stream(model, place, own) for own in seeds.spawn(_STREAMS))


@cache
def _pool(lanes: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(lanes, thread_name_prefix="dropaudit-lane")


# A forked child has none of its parent's threads.
os.register_at_fork(after_in_child=_pool.cache_clear)


@dataclass(frozen=True, slots=True)
class ParallelSampler:
    """Draws many replicates in a run, and several runs at once.

    Attributes:
        elements: numbers that one replicate returns.
        largest: most replicates of one run.
        lanes: threads.
    """

    streams: tuple[Stream, ...]
    layout: Layout
    elements: int
    largest: int
    lanes: int

    @property
    def name(self) -> str:
        """See Sampler."""
        return self.layout.name

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        """See Sampler."""

        number = self._number(count)

        def work(place: int, start: int, size: int) -> Found:
            stream = self.streams[place % len(self.streams)]
            found = stream.run(self.layout.repeated(size), self.layout.drawn(names))
            return use(start, self.layout.split(found, names, size))

        divided = enumerate(parts(count, number))
        if self.lanes == 1 or number == 1:
            yield from ((size, work(place, start, size)) for place, (start, size) in divided)
            return
        waiting: deque[tuple[int, Future[Found]]] = deque()
        try:
            for place, (start, size) in divided:
                if len(waiting) == len(self.streams):
                    yield _first(waiting)
                waiting.append((size, _pool(self.lanes).submit(copy_context().run, work, place, start, size)))
            while waiting:
                yield _first(waiting)
        finally:
            # Whoever stops early waits for what has begun: a stream is never left running.
            wait([future for _, future in waiting if not future.cancel()])

    def affordable(self, names: Sequence[str]) -> None:
        """See Sampler."""

    def _number(self, count: int) -> int:
        """Return the number of pieces: an even one where that is worth it, so that two cores end together."""
        number = pieces_for(count, self.largest)
        if number % 2 == 0 or count * self.elements < _WORTH_DIVIDING:
            return number
        return min(count, number + 1)


def _first(waiting: deque[tuple[int, Future[Found]]]) -> tuple[int, Found]:
    """Wait for the oldest piece: its stream may then draw again."""
    size, future = waiting.popleft()
    return size, future.result()
