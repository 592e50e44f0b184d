"""Text in documents: safe to print, and in JSON nothing of it lost."""

from __future__ import annotations

import json
import re
from typing import Any

from dropaudit.safe_text import is_unsafe, safe

__all__ = ["is_unsafe", "json_text", "safe"]


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
