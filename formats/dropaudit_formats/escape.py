"""Names come from files that nobody vouches for: they must steer neither a terminal nor a document."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

# Control, format and surrogate characters, line and paragraph separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def is_unsafe(char: str) -> bool:
    """Whether a character could move a cursor, turn the direction of text, or has no place in UTF-8 or XML."""
    return unicodedata.category(char) in _UNSAFE or ord(char) & 0xFFFE == 0xFFFE


def safe(text: str) -> str:
    r"""Return a text with unsafe characters spelled out: an escape becomes the four characters \x1b."""
    return "".join(char.encode("unicode_escape").decode("ascii") if is_unsafe(char) else char for char in text)


def json_text(document: Any) -> str:
    r"""Return a JSON text whose strings hold unsafe characters as \u escapes, so that nothing is lost.

    Outside of strings such a text has no unsafe character but the line feed.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return _CANDIDATE.sub(lambda match: _escaped(match[0]), text) + "\n"


# Everything but printable ASCII and line feeds; most of it turns out to be harmless.
_CANDIDATE = re.compile(r"[^\x20-\x7e\n]")


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1] if is_unsafe(char) else char
