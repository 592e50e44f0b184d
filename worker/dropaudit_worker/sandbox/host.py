"""The worker's side of a sandbox: starts it, asks, listens, and ends it when it does not end by itself."""

from __future__ import annotations

import fcntl
import math
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain

import msgspec
import structlog

from dropaudit.errors import AuditCancelled, AuditError
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.content import Content, pieces
from dropaudit_worker.sandbox.memory_kills import memory_kills
from dropaudit_worker.sandbox.wire import Answer, Answers, Ending, Garbled, Job, Made, Ready, Stop, Told, encoded

IsStopped = Callable[[], bool]
Tell = Callable[[Told], None]

_PROGRAM = "dropaudit_worker.sandbox"
_LOOK_SECONDS = 0.05
_SHORT_SECONDS = 0.005
# Seconds that a process has to end by itself once it is told to.
_GRACE_SECONDS = 0.3
_START_SECONDS = 120.0
_CHUNK_BYTES = 1 << 20
_MOST_WORDS_BYTES = 1 << 16
_SHOWN_BYTES = 1000
# All that a sandbox has of the worker's environment: where libraries lie, and how many threads they start.
_VARIABLES = (
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "TZ",
    "MALLOC_ARENA_MAX",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "CUDA_MODULE_LOADING",
    "NVIDIA_TF32_OVERRIDE",
)
_OUT_OF_MEMORY = re.compile(rb"bad_alloc|MemoryError|[Oo]ut of memory|Cannot allocate memory")
_NEARLY_ALL = 0.7
_KIBIBYTE = 1 << 10

_log = structlog.get_logger(__name__)


class SandboxLost(Exception):
    """A sandbox is gone in the middle of a job.

    Attributes:
        cause: what became of it.
        by_memory: whether it wanted more memory than it may take.
    """

    def __init__(self, cause: str, *, by_memory: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.by_memory = by_memory


class TimeLimitExceeded(AuditError):
    """An audit took longer than this worker lets one take."""

    reason = "TIME_LIMIT_EXCEEDED"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the audit took longer than {seconds:g} s; lower max_replicates, or raise DROPAUDIT_TIME_LIMIT_SECONDS "
            "of the workers"
        )


class Sandbox:
    """One process that does jobs, one at a time.

    Attributes:
        missing: what the kernel did not give it; None until it is ready.
    """

    def __init__(self, limits: SandboxLimits, environ: Mapping[str, str] = os.environ, program: str = _PROGRAM) -> None:
        """Start it; it is ready a moment later, and waited for when it is first used.

        Args:
            environ: what a few variables are taken from.
            program: the module that runs in it.
        """
        self._limits = limits
        self._kills = memory_kills()
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        self._words = _small_file()
        with theirs:
            self._process = _started(theirs.fileno(), limits, environ, self._words, program)
        self._answers = Answers()
        self._largest = 0
        self.missing: tuple[str, ...] | None = None

    @property
    def pid(self) -> int:
        """The process, or the one that waits for it."""
        return self._process.pid

    def run(self, job: Job, content: Sequence[Content], tell: Tell, is_stopped: IsStopped, seconds: float) -> Ending:
        """Have a job done.

        Raises:
            TimeLimitExceeded: it took longer than so many seconds.
            AuditCancelled: it was to stop.
            SandboxLost: the process is gone.
        """
        self._forget_words()
        return _Conversation(self, job, content, tell, is_stopped, seconds).ending()

    def exchange(self, outgoing: deque[memoryview]) -> None:
        """Send what can be sent and take in what has come, or wait a moment for either. Raises SandboxLost."""
        wanted = select.POLLIN | (select.POLLOUT if outgoing else 0)
        poll = select.poll()
        poll.register(self._line, wanted)
        for _, event in poll.poll(_LOOK_SECONDS * 1000):
            try:
                if event & select.POLLOUT:
                    self._send(outgoing)
                if event & ~select.POLLOUT:
                    self._receive()
            except OSError as error:
                raise self._lost() from error

    def next_answer(self) -> Answer | None:
        """Return the next answer that has come whole. Raises SandboxLost when it cannot be read."""
        try:
            answer = self._answers.next()
        except Garbled as error:
            self.close()
            raise SandboxLost(str(error)) from error
        if isinstance(answer, Ready):
            self.missing = answer.missing
        return answer

    def close(self) -> None:
        """End it, whatever it does."""
        self._line.close()
        self._terminate()
        if self._words >= 0:
            os.close(self._words)
            self._words = -1

    def _terminate(self) -> None:
        """Ask the process that waits for the sandbox to end it, and kill both when that does not help."""
        if self._process.returncode is not None:
            return
        os.kill(self.pid, signal.SIGTERM)
        if not self._has_ended(_GRACE_SECONDS):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._has_ended(math.inf)

    def _has_ended(self, seconds: float) -> bool:
        """Wait for its end; False when that takes longer."""
        end = time.monotonic() + seconds
        while self._process.returncode is None:
            found, status, usage = os.wait4(self.pid, os.WNOHANG)
            if found:
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self._largest = usage.ru_maxrss * _KIBIBYTE
            elif time.monotonic() > end:
                return False
            else:
                time.sleep(_SHORT_SECONDS)
        return True

    def _forget_words(self) -> None:
        """Empty the log: parent and child share the file and their position in it."""
        os.pwrite(self._words, bytes(_MOST_WORDS_BYTES), 0)
        os.lseek(self._words, 0, os.SEEK_SET)

    def _send(self, outgoing: deque[memoryview]) -> None:
        first = outgoing.popleft()
        with suppress(BlockingIOError):
            first = first[self._line.send(first[:_CHUNK_BYTES]) :]
        if first:
            outgoing.appendleft(first)

    def _receive(self) -> None:
        with suppress(BlockingIOError):
            chunk = self._line.recv(_CHUNK_BYTES)
            if not chunk:
                raise self._lost()
            self._answers.add(chunk)

    def _lost(self) -> SandboxLost:
        # It may have closed its end and go on.
        if not self._has_ended(_GRACE_SECONDS):
            self._terminate()
        code = self._process.returncode or 0
        words = os.pread(self._words, _MOST_WORDS_BYTES, 0).rstrip(b"\0")
        killed = code == -signal.SIGKILL and memory_kills() > self._kills
        full = self._limits.memory_bytes and self._largest > _NEARLY_ALL * self._limits.memory_bytes
        by_memory = bool(killed or full or _OUT_OF_MEMORY.search(words))
        self.close()
        lost = SandboxLost(_cause(code, killed), by_memory=by_memory)
        said = words[-_SHOWN_BYTES:].decode("utf-8", "replace")
        _log.warning("a sandbox ended in the middle of a job", cause=lost.cause, by_memory=by_memory, said=said)
        return lost


class _Conversation:
    """One job: the bytes still to be sent, and when it has to end."""

    def __init__(
        self,
        sandbox: Sandbox,
        job: Job,
        content: Sequence[Content],
        tell: Tell,
        is_stopped: IsStopped,
        seconds: float,
    ) -> None:
        self._sandbox = sandbox
        self._job = job
        self._outgoing: deque[memoryview] = deque()
        self._pieces = chain([encoded(job)], *map(pieces, content))
        self._tell = tell
        self._is_stopped = is_stopped
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._began = time.monotonic()
        self._killed_at = 0.0
        self._why: AuditError | None = None

    def ending(self) -> Ending:
        """Talk until the job has ended."""
        while True:
            self._look_at_the_clock()
            answer = self._sandbox.next_answer()
            if answer is None:
                self._take_next_piece()
                self._sandbox.exchange(self._outgoing)
            elif isinstance(answer, Ready):
                self._end = time.monotonic() + self._seconds
            elif isinstance(answer, Told):
                self._tell(answer)
            elif self._why is not None and not isinstance(answer, Made):
                raise self._why
            else:
                return answer

    def _take_next_piece(self) -> None:
        """Have something to send, for as long as there is."""
        while not self._outgoing and (piece := next(self._pieces, None)) is not None:
            if piece:
                self._outgoing.append(memoryview(piece))

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        if self._why is None:
            self._why = self._reason_to_end(now)
            if self._why is not None:
                self._killed_at = now + _GRACE_SECONDS
                # Whatever was announced comes first.
                self._pieces = chain(self._pieces, [encoded(Stop(number=self._job.number))])
        elif now > self._killed_at:
            self._sandbox.close()
            raise self._why

    def _reason_to_end(self, now: float) -> AuditError | None:
        if self._is_stopped():
            return AuditCancelled("told to end")
        if self._sandbox.missing is None:
            if now - self._began > _START_SECONDS:
                self._sandbox.close()
                raise SandboxLost(f"it was not ready within {_START_SECONDS:g} s")
            return None
        return TimeLimitExceeded(self._seconds) if now > self._end else None


def _small_file() -> int:
    """Return a file for what a sandbox says when it crashes; it takes so much and no more."""
    if not hasattr(os, "memfd_create"):
        return os.open(os.devnull, os.O_RDWR)
    descriptor = os.memfd_create("words", os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, _MOST_WORDS_BYTES)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    return descriptor


def _started(
    line: int, limits: SandboxLimits, environ: Mapping[str, str], words: int, program: str
) -> subprocess.Popen[bytes]:
    arguments = [str(line), msgspec.json.encode(limits).decode()]
    variables = {name: environ[name] for name in _VARIABLES if name in environ}
    return subprocess.Popen(
        [sys.executable, "-s", "-P", "-B", "-m", program, *arguments],
        env={**variables, "LC_ALL": "C.UTF-8"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=words,
        pass_fds=[line],
        start_new_session=True,
    )


def _cause(code: int, killed_for_memory: bool) -> str:
    if killed_for_memory:
        return "memory: the kernel killed it for want of memory"
    if code >= 0:
        return f"it ended by itself, with status {code}"
    names = {each.value: each.name for each in signal.Signals}
    return f"signal {-code} ({names.get(-code, 'unknown')})"
