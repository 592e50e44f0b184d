"""How the process begins: shut in before anything is loaded that starts a thread, which would stay outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

import msgspec

from dropaudit_worker.sandbox.confinement import kernel
from dropaudit_worker.sandbox.confinement.confine import confine
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits

if TYPE_CHECKING:
    from dropaudit_worker.sandbox.process import Done

Load = Callable[[SandboxLimits], "Done"]


def start(arguments: Sequence[str], load: Load) -> NoReturn:
    """Serve the worker at the other end of a socket.

    Args:
        arguments: the socket's descriptor, and the limits as JSON.
        load: loads what does jobs, once this process is shut in.
    """
    descriptor, limits = int(arguments[0]), msgspec.json.decode(arguments[1], type=SandboxLimits)
    _end_with_the_worker()
    # A terminal's Ctrl-C is for the worker, which decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    missing = confine(descriptor, limits)
    # Only now: numpy starts threads.
    from dropaudit_worker.sandbox.process import serve

    done = load(limits)
    serve(descriptor, (*missing, *_unseen(limits)), done)


def _unseen(limits: SandboxLimits) -> list[str]:
    if limits.gpu:
        from dropaudit.runtime.provider import count_cuda_devices

        if count_cuda_devices() == 0:
            return ["a view of its GPU, so that models run on the CPU"]
    return []


def _end_with_the_worker() -> None:
    parent = os.getppid()
    if kernel.IS_LINUX:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
