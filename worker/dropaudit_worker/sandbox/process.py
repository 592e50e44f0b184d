"""The main loop of a confined sandbox: one job after another, until the parent closes the pipe."""

from __future__ import annotations

import io
import os
import resource
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import msgspec
import numpy as np

from dropaudit.files.archive import HEADER_BYTES, is_archive
from dropaudit.graph.reading.held_weights import LARGE_WEIGHTS
from dropaudit.graph.reading.limits import MOST_BYTES
from dropaudit.runtime.interruption import Interrupter
from dropaudit_worker.sandbox.subject_files import Content, received
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
        return self._received(size).tobytes()

    def content(self, size: int) -> Content:
        """Wait for content; what is large stays where it was received: an archive, and the weights of one file."""
        if size < LARGE_WEIGHTS:
            return self.read(size)
        head = self.read(HEADER_BYTES)
        if size <= MOST_BYTES and not is_archive(head):
            return received(io.BufferedReader(_Incoming(self._fill, head, size)), size)
        return self._received(size, head).toreadonly()

    def _received(self, size: int, head: bytes = b"") -> memoryview:
        """Wait for what follows a head, and return both together."""
        # Not a bytearray, which is written once more with zeros.
        content = np.empty(size, np.uint8).data
        content[: len(head)] = head
        self._fill(content[len(head) :])
        return content

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


class _Incoming(io.RawIOBase):
    """Content of a known size as a stream, of which the head is here already."""

    def __init__(self, fill: Callable[[memoryview], None], head: bytes, size: int) -> None:
        self._fill = fill
        self._head = head
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any, /) -> int:
        room = memoryview(view)[: self._left]
        if self._head:
            room = room[: len(self._head)]
            room[:], self._head = self._head[: len(room)], self._head[len(room) :]
        else:
            self._fill(room)
        self._left -= len(room)
        return len(room)


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
