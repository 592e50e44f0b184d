"""What a terminal may be shown of names that come from files."""

from __future__ import annotations

import unicodedata


def safe(name: str) -> str:
    """Return a name from a model with control and format characters made visible: a file must not steer a terminal."""
    return "".join(
        char.encode("unicode_escape").decode("ascii") if unicodedata.category(char) in _UNSAFE else char
        for char in name
    )


_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
