"""Long names, cut where they tell least."""

from __future__ import annotations

from dropaudit_formats.escape import safe

_MARK = "…"


def cut_middle(name: str, most: int) -> str:
    """Return a name, its unsafe characters spelled out, of at most `most` characters: a longer one loses its middle.

    The ends of a node's name say where it lies and which one it is.
    """
    # What is far too long is cut before it is spelled out as well: names may have megabytes.
    text = safe(name if len(name) <= 4 * most else name[: 2 * most] + name[-2 * most :])
    if len(text) <= most:
        return text
    head = most // 2
    tail = most - head - 1
    return text[:head] + _MARK + (text[-tail:] if tail else "")
