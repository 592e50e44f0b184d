"""Text that comes from a model is data: it must move no cursor and begin no line."""

from __future__ import annotations

_LONGEST = 1000


def printable(text: str) -> str:
    """Return text with everything that no terminal should see written as an escape, and no longer than 1,000."""
    escaped = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    return escaped if len(escaped) <= _LONGEST else f"{escaped[:_LONGEST]}…"
