"""Checks files as text: ends of lines, whitespace, conflict markers, size.

Arguments are files; without any, all that git knows are checked. Prints a line for each thing that is wrong, and ends
with status 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LARGEST = 1 << 20
"""Bytes. Records and fixtures stay far below; a larger file was most likely added by accident."""

# Records that `make` targets write.
_WRITTEN = re.compile(r"^benchmarks/.*\.(json|md|svg)$")
_CONFLICT = re.compile(rb"^(<{7} |={7}$|>{7} )", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Check the files that are named, or all that git knows."""
    wrong = [f"{path}: {each}" for path in map(Path, arguments or tracked()) for each in violations(path)]
    print("\n".join(wrong), end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


def tracked() -> list[str]:
    """Return the files in git's index."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    return listed.split("\0")[:-1]


def violations(path: Path) -> Iterator[str]:
    """Yield what is wrong with a file: its size, and its lines unless it is binary or a record."""
    if not path.is_file():
        return
    content = path.read_bytes()
    if len(content) > LARGEST:
        yield f"is larger than {LARGEST >> 20} MiB"
    if b"\0" not in content and not _WRITTEN.match(path.as_posix()):
        yield from _of_text(content)


def _of_text(content: bytes) -> Iterator[str]:
    if content and not content.endswith(b"\n"):
        yield "does not end with a newline"
    if content.endswith(b"\n\n"):
        yield "ends with empty lines"
    if b"\r" in content:
        yield "has carriage returns"
    if re.search(rb"[ \t]$", content, re.MULTILINE):
        yield "has lines that end with whitespace"
    if _CONFLICT.search(content):
        yield "has a conflict marker"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
