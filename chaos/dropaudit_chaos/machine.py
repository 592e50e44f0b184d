"""The machine that figures were taken on."""

from __future__ import annotations

import os

from dropaudit.runtime.provider import cpu_name


def machine() -> str:
    """Name the processor, and how many cores there are."""
    return f"{cpu_name()}, {os.cpu_count()} cores"
