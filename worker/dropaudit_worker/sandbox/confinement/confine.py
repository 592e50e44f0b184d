"""Confines a process by everything that the kernel offers, and tells what it does not offer."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dropaudit_worker.sandbox.confinement import kernel, landlock, namespaces, seccomp
from dropaudit_worker.sandbox.confinement.paths import Paths, visible_paths
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits, limit

_NEWEST_LANDLOCK = 6


def confine(descriptor: int, limits: SandboxLimits) -> tuple[str, ...]:
    """Shut this process in, before it has threads.

    Args:
        descriptor: the socket that is all it has afterwards.

    Returns:
        What the kernel did not give.
    """
    limit(limits)
    if not kernel.IS_LINUX:
        _work_in_nothing()
        return ("namespaces", "Landlock", "seccomp")
    if len(os.listdir("/proc/self/task")) > 1:
        raise RuntimeError("a process that has threads already cannot be shut in")
    paths = visible_paths(limits.gpu)
    missing = _separate(descriptor, paths)
    missing += _attempt("dropped capabilities", kernel.drop_privileges)
    missing += _attempt("Landlock", lambda: _restrict(paths, gpu=limits.gpu))
    missing += _attempt("seccomp", lambda: seccomp.filter_system_calls(limits.gpu))
    return tuple(missing)


def _separate(descriptor: int, paths: Paths) -> list[str]:
    entered = namespaces.enter()
    missing = [] if entered.network else ["a network namespace"]
    if entered.processes:
        namespaces.fork_into_processes([descriptor])
    else:
        missing.append("a process namespace")
    refused = _attempt("a mount namespace", lambda: namespaces.change_root(paths)) if entered.mounts else None
    if refused == []:
        os.chdir(namespaces.EMPTY)
        return missing
    _work_in_nothing()
    return [*missing, *(refused or ["a mount namespace"])]


def _work_in_nothing() -> None:
    """Work in a folder that is gone: it is empty, and nothing can be made in it."""
    os.chdir("/")
    with suppress(OSError):
        folder = tempfile.mkdtemp(prefix="dropaudit-")
        os.chdir(folder)
        Path(folder).rmdir()


def _restrict(paths: Paths, *, gpu: bool) -> None:
    own = Path("/proc/self").resolve()
    # NVIDIA's driver names its threads by files there, and does not begin without it.
    used = (*paths.devices, own) if gpu else paths.devices
    found = landlock.restrict((*paths.read, *paths.facts, own, namespaces.EMPTY), used)
    if found < _NEWEST_LANDLOCK:
        raise OSError(f"only version {found} of its interface, without all of its rules")


def _attempt(what: str, step: Callable[[], object]) -> list[str]:
    try:
        step()
    except OSError as error:
        return [f"{what} ({error.strerror or error})"]
    return []
