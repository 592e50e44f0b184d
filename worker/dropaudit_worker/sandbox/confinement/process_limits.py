"""Limits of a sandbox: memory and files."""

from __future__ import annotations

import resource

import msgspec

_FILES = 256
# A model has at most 2 GiB, and so has the copy that a default session writes.
_FILE_BYTES = 4 << 30


class SandboxLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of one sandbox.

    Attributes:
        memory_bytes: what it may hold beside the files it has mapped; 0 for any.
        gpu: whether it sees one.
        gpu_memory_bytes: what one session may take of that; 0 for any.
    """

    memory_bytes: int = 0
    gpu: bool = False
    gpu_memory_bytes: int = 0


def limit(limits: SandboxLimits) -> None:
    """Set the limits of this process, for good."""
    if limits.memory_bytes:
        lower(resource.RLIMIT_DATA, limits.memory_bytes)
    lower(resource.RLIMIT_NOFILE, _FILES)
    lower(resource.RLIMIT_FSIZE, _FILE_BYTES)
    # A crash must not fill the disk with what the model made of memory.
    lower(resource.RLIMIT_CORE, 0)


def lower(kind: int, wanted: int) -> None:
    """Lower a limit of this process, for good; one that is lower already stays."""
    _, hard = resource.getrlimit(kind)
    lowest = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(kind, (lowest, lowest))
