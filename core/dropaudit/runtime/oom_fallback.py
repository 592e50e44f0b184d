"""Fallbacks for a device without memory left, or without a kernel: smaller runs, then the CPU, then an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeVar

from dropaudit.errors import ExecutionFailed, InvalidModel, OutOfMemory
from dropaudit.runtime.provider import Device
from dropaudit.runtime.replicates import Found, Sampler, Use

T = TypeVar("T")
Note = Callable[[str], None]
# How much smaller runs become at a time.
_SHARE = 4


class FallbackSampler:
    """Draws as another sampler does, in smaller and smaller runs where those do not fit into memory.

    Args:
        sampler: a dataclass with `largest`, the most replicates of one run.
        note: told what was done, in a few words.
    """

    def __init__(self, sampler: Any, note: Note) -> None:
        self._sampler = sampler
        self._note = note

    @property
    def name(self) -> str:
        """See Sampler."""
        return str(self._sampler.name)

    def affordable(self, names: Sequence[str]) -> int | None:
        """See Sampler."""
        drawing: Sampler = self._sampler
        return drawing.affordable(names)

    def pieces(self, count: int, names: Sequence[str], use: Use[Found]) -> Iterator[tuple[int, Found]]:
        """See Sampler. Raises OutOfMemory when not even one replicate fits."""
        left = count
        while left:
            try:
                drawing: Sampler = self._sampler
                for size, found in drawing.pieces(left, names, use):
                    left -= size
                    yield size, found
            except OutOfMemory:
                before = min(self._sampler.largest, left)
                if before == 1:
                    raise
                self._sampler = replace(self._sampler, largest=max(1, before // _SHARE))
                self._note(f"out of memory: at most {self._sampler.largest} replicates in a run instead of {before}")


def on_first_that_fits(places: Sequence[Device], run: Callable[[Device, Note], T], notes: list[str]) -> T:
    """Return what a run makes on the first place that has memory for it, and runs the model at all.

    Not every provider has a kernel for every operator: CUDA has none for BatchNormalization in training mode. What the
    last place refuses, no place runs.

    Args:
        places: where to run, best first.
        run: called with a place, and with what is told how memory was saved there.
        notes: what was done for want of memory or of a kernel, in order.

    Raises:
        OutOfMemory, InvalidModel, ExecutionFailed: the last place says so.
    """
    for place, following in pairwise(places):
        try:
            return run(place, notes.append)
        except OutOfMemory:
            notes.append(f"out of memory on {place.device}: on {following.device} instead")
        except (InvalidModel, ExecutionFailed) as error:
            notes.append(f"not run on {place.device} ({error}): on {following.device} instead")
    return run(places[-1], notes.append)
