"""Linux system calls that the standard library does not offer."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Sequence
from functools import cache

IS_LINUX = sys.platform.startswith("linux")

PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_MOST_CAPABILITIES = 64


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library. Raises OSError when it fails."""
    found: int = getattr(_libc(), name)(*arguments)
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return found


def system_call(number: int, *arguments: object) -> int:
    """Make a system call. Raises OSError when it fails."""
    # A plain integer would be passed as 32 bits.
    return call("syscall", *(ctypes.c_long(each) if isinstance(each, int) else each for each in (number, *arguments)))


def prctl(option: int, *arguments: object) -> int:
    """Call prctl. Raises OSError when it fails."""
    given: Sequence[object] = (*arguments, 0, 0, 0, 0)[:4]
    return call("prctl", option, *(ctypes.c_ulong(each) if isinstance(each, int) else each for each in given))


def drop_privileges() -> None:
    """Give up every capability, and the way to any, for good."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    for number in range(_MOST_CAPABILITIES):
        try:
            prctl(_PR_CAPBSET_DROP, number)
        except OSError:
            # There are fewer, or none may be dropped; without new privileges none comes back.
            break
    none = bytes(2 * 3 * 4)
    call("capset", struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), none)
