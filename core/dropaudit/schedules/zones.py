"""Time zones by their names in the IANA database."""

from __future__ import annotations

import zoneinfo
from functools import cache

_LONGEST = 64


class ZoneError(ValueError):
    """Nobody knows a time zone; the message says so in a sentence."""


@cache
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone; an empty name is UTC. Raises ZoneError."""
    name = name or "UTC"
    # Names are paths: only those that are listed are looked up.
    if len(name) > _LONGEST or name not in _known():
        raise ZoneError(f"{name[:_LONGEST]!r} is not a time zone; give a name such as Europe/Berlin, or UTC")
    return zoneinfo.ZoneInfo(name)
