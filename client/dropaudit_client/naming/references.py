"""How people write a version of a model: `lstm.onnx`, `lstm.onnx:3` or `lstm.onnx@production`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REFERENCE = re.compile(
    r"(?P<name>.+?)(?::(?P<version>[1-9][0-9]{0,8})|@(?P<alias>[a-z0-9][a-z0-9._-]{0,62}))?", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name, and an alias or the number of a version; without both, the newest."""

    name: str
    alias: str = ""
    version: int = 0


def read_reference(text: str) -> Reference:
    """Read a reference; text of any other form is a name."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return Reference(text)
    return Reference(found["name"], found["alias"] or "", int(found["version"] or 0))
