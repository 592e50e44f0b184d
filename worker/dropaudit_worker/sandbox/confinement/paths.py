"""The files that a sandbox may see: Python's code and its libraries, and devices."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime")
_FACTS = ("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_GPU_LIBRARIES = ("/usr/local/cuda", "/usr/local/nvidia", "/opt/nvidia", "/usr/share/nvidia", "/etc/nvidia")
_GPU_FACTS = ("/proc/driver", "/proc/devices", "/proc/modules", "/proc/stat", "/proc/filesystems", "/sys")
_GPU_DEVICES = ("nvidia*", "dri")


@dataclass(frozen=True, slots=True)
class Paths:
    """Files and folders.

    Attributes:
        read: what may be read, and run as a library.
        facts: what the kernel tells of the machine, to be read.
        devices: what may be written too.
    """

    read: tuple[Path, ...]
    facts: tuple[Path, ...]
    devices: tuple[Path, ...]


def visible_paths(gpu: bool) -> Paths:
    """Return what this process needs, as far as it is there."""
    code = [path for path in (*sys.path, sys.prefix, sys.base_prefix + "/lib") if path]
    named = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    libraries = (*_LIBRARIES, *named, *(_GPU_LIBRARIES if gpu else ()))
    devices = [Path(path) for path in _DEVICES]
    if gpu:
        devices += [path for pattern in _GPU_DEVICES for path in Path("/dev").glob(pattern)]
    return Paths(
        read=_there(map(Path, (*code, *libraries))),
        facts=_there(map(Path, (*_FACTS, *(_GPU_FACTS if gpu else ())))),
        devices=_there(devices),
    )


def _there(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return those that exist, real paths too: a link is of no use where its end cannot be seen."""
    known = [path for path in paths if path.is_absolute() and path.exists()]
    found = dict.fromkeys(each for path in known for each in (path, path.resolve()))
    # The file system's root is not a library, whatever a search path says.
    return tuple(path for path in found if len(path.parts) > 1)
