"""Work that kills its process, importable by another process."""

from __future__ import annotations

import os


def square_or_die(number: int) -> int:
    """Return the square; 3 ends the process on the spot."""
    if number == 3:
        os._exit(7)
    return number * number
