"""Shell patterns over names."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

from dropaudit_store.shared.byte_limits import NAME_BYTES

_SPECIAL = re.compile(r"[*?\[]")


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a name matches a shell pattern, upper and lower case told apart."""
    # Atomic groups: no pattern makes it go back.
    matches = re.compile(fnmatch.translate(pattern[:NAME_BYTES])).match
    return lambda name: matches(name) is not None


def literal_prefix(pattern: str) -> str:
    """Return how every name that matches begins."""
    found = _SPECIAL.search(pattern)
    return pattern[: found.start()] if found else pattern


def is_literal(pattern: str) -> bool:
    """Whether a pattern stands for nothing but itself."""
    return _SPECIAL.search(pattern) is None
