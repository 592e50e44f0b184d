"""Contenders in processes of their own, timed in turn."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from cases import Case

_PAUSE = 0.3
CONTENDER = Path(__file__).with_name("contender.py")


class Contender:
    """A process that times one way of doing it."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process

    def end(self) -> None:
        """Let the process end."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it may have ended itself, with something unread
            self._process.stdin.close()

    def kill(self) -> None:
        """End the process where it is."""
        self._process.kill()

    def seconds(self, case: Case, replicates: int) -> float:
        """Return how long it takes. Raises RuntimeError when the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"case": asdict(case), "replicates": replicates}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"contender {self.name!r} has ended")
        return float(answer)


@contextmanager
def contenders(names: Sequence[str], device: str) -> Iterator[list[Contender]]:
    """Start contenders, and end them."""
    with ExitStack() as stack:
        started = []
        for name in names:
            command = [sys.executable, str(CONTENDER), name, *(["--cuda"] if device == "cuda" else [])]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(process)
            started.append(Contender(name, process))
        yield started
        for contender in started:
            contender.end()


def medians(found: Sequence[Contender], case: Case, replicates: int, rounds: int) -> dict[str, float]:
    """Return the median seconds of each contender over rounds in which each has its turn, after one to warm up."""
    seconds: dict[str, list[float]] = {contender.name: [] for contender in found}
    for number in range(rounds + 1):
        for contender in found:
            # Threads of the last one spin for a while after its answer.
            time.sleep(_PAUSE)
            elapsed = contender.seconds(case, replicates)
            if number:
                seconds[contender.name].append(elapsed)
    return {name: statistics.median(values) for name, values in seconds.items()}
