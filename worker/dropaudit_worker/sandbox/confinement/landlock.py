"""Landlock: only named parts of the file system, no TCP, no signals to others."""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dropaudit_worker.sandbox.confinement.kernel import system_call

# The same numbers on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_DEV = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
READ = _EXECUTE | _READ_FILE | _READ_DIR
USE = READ | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV
# Rights over files that each version of the interface knows, over TCP, and what it keeps inside.
_FILES_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP_SINCE, _SCOPES_SINCE = 4, 6
_TCP = 0b11
_SCOPES = 0b11


def version() -> int:
    """Return the version of the kernel's interface. Raises OSError where there is none."""
    return system_call(_CREATE_RULESET, None, 0, _ASK_VERSION)


def restrict(read: Iterable[Path], use: Iterable[Path]) -> int:
    """Restrict this thread, and the processes it will start, to reading below some paths and using others.

    Returns:
        The version of the kernel's interface.

    Raises:
        OSError: the kernel has none, or does not allow it.
    """
    found = version()
    handled = (1 << _FILES_OF_VERSION.get(found, 16)) - 1
    wanted = [handled, *([_TCP] if found >= _TCP_SINCE else []), *([_SCOPES] if found >= _SCOPES_SINCE else [])]
    attributes = struct.pack(f"={len(wanted)}Q", *wanted)
    ruleset = system_call(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for paths, rights in ((read, READ), (use, USE)):
            for path in paths:
                _allow(ruleset, path, rights & handled)
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return found


def _allow(ruleset: int, path: Path, rights: int) -> None:
    with suppress(FileNotFoundError, PermissionError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            rule = struct.pack("=Qi", rights if is_folder else rights & _OF_FILES, descriptor)
            system_call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        finally:
            os.close(descriptor)
