"""Text from untrusted files and callers, made safe to print: it must steer neither a terminal nor a document."""

from __future__ import annotations

import unicodedata

# Control, format and surrogate characters, line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MARK = "…"


def is_unsafe(char: str) -> bool:
    """Whether a character could move a cursor, turn the direction of text, or has no place in UTF-8 or XML."""
    return unicodedata.category(char) in _UNSAFE or ord(char) & 0xFFFE == 0xFFFE


def safe(text: str, most_bytes: int | None = None) -> str:
    r"""Return a text with unsafe characters spelled out: an escape becomes the four characters \x1b.

    Args:
        text: any text.
        most_bytes: how long the result may be in UTF-8, 3 at least; a longer one ends with an ellipsis. None: any
            length.
    """
    # Nothing gets shorter by being spelled out, so what is far too long is cut before that: names may have megabytes.
    short = text if most_bytes is None else text[: most_bytes + 1]
    spelled = "".join(char.encode("unicode_escape").decode("ascii") if is_unsafe(char) else char for char in short)
    return spelled if most_bytes is None else _cut(spelled, most_bytes)


def _cut(text: str, most_bytes: int) -> str:
    encoded = text.encode()
    if len(encoded) <= most_bytes:
        return text
    return encoded[: most_bytes - len(_MARK.encode())].decode(errors="ignore") + _MARK
