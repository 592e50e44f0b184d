"""Ids that sort by time, so that an index in the order of its members is one in the order of time."""

from __future__ import annotations

import itertools
import secrets

_counter = itertools.count()
_TIME_DIGITS = 12
_ID_DIGITS = 32


def sortable_id(seconds: float) -> str:
    """Return a new id of 32 hexadecimal digits: milliseconds, the order within this process, and chance."""
    order = next(_counter) & 0xFFFFF
    return f"{first_id(seconds * 1000)[:_TIME_DIGITS]}{order:05x}{secrets.token_hex(8)[1:]}"


def first_id(milliseconds: float) -> str:
    """Return the lowest id of an instant; ids of earlier instants are lower."""
    return f"{min(max(0, round(milliseconds)), 16**_TIME_DIGITS - 1):0{_TIME_DIGITS}x}".ljust(_ID_DIGITS, "0")


def member(seconds: float, name: str) -> str:
    """Return a member of an index in the order of time, which ends with a name."""
    return f"{round(seconds * 1e6):016x}:{name}"


def name_in(found: str) -> str:
    """Return the name that a member of an index ends with."""
    return found.partition(":")[2]
