"""Child processes that never outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_UMASK = 0o077


class Process:
    """A child in its own process group, whose output goes to a file.

    The group is what `stop` ends, so that children of the child go too. On Linux the kernel ends the child also when
    this process is killed.

    Args:
        name: for people.
        command: program and arguments.
        environ: the child's whole environment.
        log: file that its output is appended to; like all that the child writes, for this user alone.
    """

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with open(log, "ab", opener=_private) as output:
            self._child = _spawn(command, environ, output)

    @property
    def pid(self) -> int:
        """Process id, which is the group's id too."""
        return self._child.pid

    def exit_status(self) -> int | None:
        """Return how it ended, None while it runs."""
        return self._child.poll()

    def ask_to_stop(self) -> None:
        """Send SIGTERM to the child alone: it knows how to end its own children."""
        if self._child.poll() is None:
            self._child.terminate()

    def stop(self, grace: float) -> None:
        """End the child and its whole group; after `grace` seconds by force."""
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(grace)
        self._signal_group(signal.SIGKILL)
        self._child.wait()
        self._wait_for_group()

    def last_words(self, lines: int = 5) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _wait_for_group(self, patience: float = 0.5) -> None:
        """Wait until the kernel has taken the killed members away, as far as init does so in time."""
        deadline = time.monotonic() + patience
        with suppress(ProcessLookupError, PermissionError):
            while time.monotonic() < deadline:
                os.killpg(self.pid, 0)
                time.sleep(0.02)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o666 & ~_UMASK)


def _spawn(command: Sequence[str], environ: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*_dying_with_parent(), *command],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # What it writes is for this user alone.
        umask=_UMASK,
    )


def _dying_with_parent() -> list[str]:
    """Return what runs a program so that it is sent SIGTERM when this process dies; Linux only.

    A program of its own, not code between fork and exec: that may hang where other threads held a lock at the fork.
    """
    if not sys.platform.startswith("linux"):
        return []
    return [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid())]


_LAUNCH = f"""
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):  # the parent died before the kernel knew
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""
