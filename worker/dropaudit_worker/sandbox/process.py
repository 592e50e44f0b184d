"""The main loop of a confined sandbox: one job after another, until the parent closes the pipe."""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NoReturn

import msgspec
import numpy as np

from dropaudit.files.archive import HEADER_BYTES, is_archive
from dropaudit.runtime.interruption import Interrupter
from dropaudit_worker.sandbox.subject_files import Content
from dropaudit_worker.sandbox.wire import Answer, Ending, Job, Made, Ready, Stop, Told, decoded_asked, encoded

_LENGTH_BYTES = 4
_CHUNK_BYTES = 1 << 20
_KIBIBYTE = 1 << 10


# Does a job, with its content; tells how far it is, and asks whether it is to end.
Done = Callable[[Job, list[Content], Callable[[Told], None], Callable[[], bool]], Ending]


class WireLine:
    """The socket to the worker. The process ends when it finds it closed: the worker is gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._sending = threading.Lock()

    def send(self, message: Answer) -> None:
        """Send an answer."""
        with self._sending:
            left = memoryview(encoded(message))
            while left:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except OSError:
                    os._exit(0)

    def message(self) -> bytes:
        """Wait for the next message."""
        return self.read(int.from_bytes(self.read(_LENGTH_BYTES), "big"))

    def read(self, size: int) -> bytes:
        """Wait for a number of bytes."""
        content = bytearray(size)
        self._fill(memoryview(content))
        return bytes(content)

    def content(self, size: int) -> Content:
        """Wait for content; an archive, which holds large weights, stays where it was received."""
        if size < HEADER_BYTES:
            return self.read(size)
        # Not a bytearray, which is written once more with zeros.
        content = np.empty(size, np.uint8).data
        self._fill(content)
        return content.toreadonly() if is_archive(content) else bytes(content)

    def _fill(self, view: memoryview) -> None:
        filled = 0
        while filled < len(view):
            try:
                count = os.readv(self._descriptor, [view[filled : filled + _CHUNK_BYTES]])
            except OSError:
                count = 0
            if count == 0:
                os._exit(0)
            filled += count


class Desk:
    """Jobs as they come in, from a thread that also hears that one is to end."""

    def __init__(self, line: WireLine, end: Callable[[], None]) -> None:
        self._line = line
        self._end = end
        self._waiting: deque[tuple[Job, list[Content]]] = deque()
        self._there = threading.Semaphore(0)
        self._stopped = -1
        self._number = -1

    def next(self) -> tuple[Job, list[Content]]:
        """Wait for a job."""
        self._there.acquire()
        job, content = self._waiting.popleft()
        self._number = job.number
        return job, content

    def is_stopped(self) -> bool:
        """Whether the job that was taken last is to end."""
        return self._stopped >= self._number

    def listen(self) -> None:
        """Take in what comes, for good."""
        while True:
            asked = decoded_asked(self._line.message())
            if isinstance(asked, Stop):
                self._stopped = asked.number
                if asked.number == self._number:
                    self._end()
            else:
                self._waiting.append((asked, self._contents(asked.sizes)))
                self._there.release()

    def _contents(self, sizes: Sequence[int]) -> list[Content]:
        try:
            return [self._line.content(size) for size in sizes]
        except MemoryError:
            # Nobody would hear of it: the worker reads it in what is left of this process.
            os.write(2, b"MemoryError: there is no room for the model")
            os._exit(1)


def serve(descriptor: int, missing: tuple[str, ...], done: Done) -> NoReturn:
    """Do the jobs that come over a socket."""
    interrupter = Interrupter()
    line = WireLine(descriptor)
    desk = Desk(line, interrupter.end)
    threading.Thread(target=desk.listen, name="desk", daemon=True).start()
    line.send(Ready(missing=missing))
    while True:
        job, content = desk.next()
        with interrupter.running():
            if desk.is_stopped():
                interrupter.end()
            ended = done(job, content, line.send, desk.is_stopped)
        del content
        line.send(_with_memory(ended) if isinstance(ended, Made) else ended)


def _with_memory(made: Made) -> Made:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return msgspec.structs.replace(made, memory_bytes=peak if sys.platform == "darwin" else peak * _KIBIBYTE)
