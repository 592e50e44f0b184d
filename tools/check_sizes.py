"""Checks that files, bodies of functions and folders stay small enough to find one's way in.

Prints a line for each thing that is too large, and ends with status 1. Generated code does not count.

    python tools/check_sizes.py [FOLDERS...]
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOMS = ("core", "proto", "models", "evaluation", "chaos", "store", "server", "worker", "formats", "client")
LONGEST_FILE, MEDIAN_FILE = 400, 100
LONGEST_BODY, USUAL_BODY = 50, 15
"""Lines; nine bodies in ten have at most the usual number."""
MOST_MODULES = 15
"""Modules beside each other in a folder, `__init__.py` left out."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main(folders: Sequence[str]) -> int:
    """Check the folders, by default those of all packages."""
    files = [
        path for folder in folders or ROOMS for path in sorted(Path(folder).rglob("*.py")) if "_pb2" not in path.name
    ]
    found = [*_files(files), *_bodies(files), *_folders(files)]
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


def _files(files: Sequence[Path]) -> Iterator[str]:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in files}
    yield from (
        f"{path}: {count} lines, at most {LONGEST_FILE}" for path, count in lines.items() if count > LONGEST_FILE
    )
    if lines and (median := statistics.median(lines.values())) > MEDIAN_FILE:
        yield f"the median of all files is {median:g} lines, at most {MEDIAN_FILE}"


def _bodies(files: Sequence[Path]) -> Iterator[str]:
    lengths = []
    for path in files:
        for function in _functions(path):
            length = body_length(function)
            lengths.append(length)
            if length > LONGEST_BODY:
                yield f"{path}:{function.lineno}: {function.name} has {length} lines, at most {LONGEST_BODY}"
    usual = sorted(lengths)[len(lengths) * 9 // 10] if lengths else 0
    if usual > USUAL_BODY:
        yield f"one body in ten has {usual} lines or more, at most {USUAL_BODY}"


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def body_length(function: Function) -> int:
    """Return the lines of a body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1 if body else 0


def _folders(files: Sequence[Path]) -> Iterator[str]:
    modules = Counter(path.parent for path in files if path.name != "__init__.py")
    yield from (
        f"{folder}: {count} modules, at most {MOST_MODULES}"
        for folder, count in modules.items()
        if count > MOST_MODULES
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
