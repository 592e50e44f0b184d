"""The documents of this repository, and the commands that they show."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^ *```(?P<info>[^\n]*)\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PROGRAMS = (
    "dropaudit",
    "make",
    "pip",
    "python",
    "grpcurl",
    "docker-compose",
    "git",
    "npm",
    "cd",
    "tools/",
    "examples/",
)
_COMMAND = re.compile(rf"^ *(?P<line>(?:[A-Z_]+=\S+ )*(?:{'|'.join(map(re.escape, _PROGRAMS))}).*?)(?:  .*)?$")


def documents() -> list[Path]:
    """Return every document that a person reads for how things are done."""
    return [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *sorted((ROOT / "docs").rglob("*.md")),
        *sorted((ROOT / "examples").glob("*.md")),
    ]


def commands(path: Path) -> list[str]:
    """Return the lines of fenced blocks that call a program, without what is explained beside them."""
    lines: list[str] = []
    for match in _FENCE.finditer(path.read_text(encoding="utf-8")):
        if not match["info"].startswith("python"):
            body = re.sub(r" *\\\n *", " ", match["body"])
            lines += [found["line"].rstrip() for line in body.splitlines() if (found := _COMMAND.match(line))]
    return lines
