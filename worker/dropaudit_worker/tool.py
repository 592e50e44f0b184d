"""The versions that this worker makes audits with: workers that have the same make the same report."""

from __future__ import annotations

from functools import cache
from importlib import metadata

_RUNTIMES = ("onnxruntime-gpu", "onnxruntime")


@cache
def tool() -> str:
    """Return names and versions of this project and of the runtime; the runtime is not imported for it."""
    versions = (found for name in _RUNTIMES if (found := _version(name)))
    return f"dropaudit {_version('dropaudit')}, onnxruntime {next(versions, 'none')}"


def runtime() -> str:
    """Return name and version of the runtime that is installed; empty where none is."""
    return next((f"{name} {found}" for name in _RUNTIMES if (found := _version(name))), "")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
