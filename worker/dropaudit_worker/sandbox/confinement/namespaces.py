"""Namespaces: a process with no network, no neighbours, and a root of its own that holds little more than libraries."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dropaudit_worker.sandbox.confinement.kernel import PR_SET_PDEATHSIG, call, prctl, system_call
from dropaudit_worker.sandbox.confinement.paths import Paths

_USER, _NETWORK, _MOUNTS, _PROCESSES = 0x10000000, 0x40000000, 0x00020000, 0x20000000
_IPC, _HOST = 0x08000000, 0x04000000
_ALL = _NETWORK | _MOUNTS | _PROCESSES | _IPC | _HOST

_NOSUID, _NODEV, _REMOUNT, _BIND, _REC, _PRIVATE = 2, 4, 32, 4096, 16384, 1 << 18
_READ_ONLY = 1
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_AT_RECURSIVE, _AT_FDCWD = 0x8000, -100
_NOBODY = 65534
_SIGNALLED = 128
# Shadowed while the new root is made there; every system has it.
_STAGE = Path("/tmp")
EMPTY = Path("/empty")


@dataclass(frozen=True, slots=True)
class Entered:
    """Which namespaces this process has of its own."""

    network: bool
    mounts: bool
    processes: bool


def enter() -> Entered:
    """Leave the namespaces of the parent, as far as the kernel allows.

    Called while there is one thread. Processes started from now on have numbers of their own.
    """
    uid, gid = os.geteuid(), os.getegid()
    with suppress(OSError):
        call("unshare", _USER | _ALL)
        _be_nobody(uid, gid)
        return Entered(network=True, mounts=True, processes=True)
    # A privileged process needs no user namespace.
    with suppress(OSError):
        call("unshare", _ALL)
        return Entered(network=True, mounts=True, processes=True)
    return Entered(network=False, mounts=False, processes=False)


def _be_nobody(uid: int, gid: int) -> None:
    with suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {gid} 1", encoding="ascii")


def fork_into_processes(keep: Iterable[int]) -> None:
    """Go on in a process of the new namespace; this process waits for it and ends as it does.

    The first process of a namespace is deaf to signals of its own, abort's too: it only waits for the second.

    Args:
        keep: descriptors that are the new process's alone.
    """
    for end in (_end_with, os._exit):
        child = os.fork()
        if child:
            # Ended by its child's end, so that nobody else finds that and has to bury it.
            signal.signal(signal.SIGTERM, partial(_kill, child))
            for descriptor in keep:
                os.close(descriptor)
            _, status = os.waitpid(child, 0)
            end(_code(status))
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill(process: int, *_: object) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _code(status: int) -> int:
    """Return the status of a process as one byte, signals as a shell writes them."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else _SIGNALLED - code


def _end_with(code: int) -> None:
    if code > _SIGNALLED:
        with suppress(OSError, ValueError):
            signal.signal(code - _SIGNALLED, signal.SIG_DFL)
        os.kill(os.getpid(), code - _SIGNALLED)
    os._exit(code)


def change_root(paths: Paths) -> None:
    """Make a root that holds these paths alone, read-only but for devices, and an empty folder to work in.

    Raises OSError where a mount is refused.
    """
    everything = [(path, path in paths.devices) for path in (*paths.read, *paths.facts, *paths.devices)]
    # Whatever lies below the stage is reached by its descriptor.
    held = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC), is_device) for path, is_device in _outermost(everything)]
    call("mount", None, b"/", None, _REC | _PRIVATE, None)
    call("mount", b"tmpfs", os.fsencode(_STAGE), b"tmpfs", _NOSUID | _NODEV, b"size=1m,mode=0755")
    proc = _STAGE / "proc"
    proc.mkdir()
    _mount_processes(proc)
    for path, descriptor, is_device in held:
        if not path.is_relative_to("/proc"):
            _bind(descriptor, _STAGE / path.relative_to("/"), is_device)
        os.close(descriptor)
    (_STAGE / EMPTY.relative_to("/")).mkdir()
    os.chdir(_STAGE)
    _pivot()
    call("mount", None, b"/", None, _REMOUNT | _BIND | _READ_ONLY | _NOSUID | _NODEV, None)


def _outermost(paths: list[tuple[Path, bool]]) -> list[tuple[Path, bool]]:
    """Return paths without those that lie below others of them."""
    folders = {path for path, _ in paths}
    return [(path, is_device) for path, is_device in paths if not folders.intersection(path.parents)]


def _mount_processes(proc: Path) -> None:
    try:
        call("mount", b"proc", os.fsencode(proc), b"proc", _NOSUID | _NODEV, None)
    except OSError:
        # Where parts of it are hidden, as in containers, only what is there may be shown again.
        call("mount", b"/proc", os.fsencode(proc), None, _BIND | _REC, None)


def _bind(descriptor: int, target: Path, is_device: bool) -> None:
    source = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(source):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    call("mount", os.fsencode(source), os.fsencode(target), None, _BIND | _REC, None)
    if not is_device:
        attributes = (_READ_ONLY | _NOSUID | _NODEV).to_bytes(8, sys.byteorder) + bytes(24)
        # Before Linux 5.12 there is no way; nobody here may write all the same.
        with suppress(OSError):
            system_call(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE, attributes, len(attributes))


def _pivot() -> None:
    system_call(_PIVOT_ROOT[os.uname().machine], b".", b".")
    call("umount2", b".", _DETACH)
    os.chdir("/")
