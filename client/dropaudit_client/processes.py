"""Child processes that never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


class Process:
    """A child in its own process group, whose output goes to a file.

    The group is what `stop` ends, so that children of the child go too. On Linux the kernel ends the child also when
    this process is killed.

    Args:
        name: for people.
        command: program and arguments.
        environ: the child's whole environment.
        log: file that its output is appended to.
    """

    def __init__(self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
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


def _spawn(command: Sequence[str], environ: Mapping[str, str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_die_with_parent(),
    )


def _die_with_parent() -> Callable[[], None] | None:
    """Return what a child runs before its program to be sent SIGTERM when its parent dies; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: between fork and exec nothing may be imported.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before the kernel knew
            os._exit(1)

    return ask_kernel
