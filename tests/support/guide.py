"""The snippets of docs/exporting.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).parents[2] / "docs" / "exporting.md"
_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS = 300


@dataclass(frozen=True)
class Snippet:
    """A fenced block: its language, where it runs, and the file it stands for, if any."""

    language: str
    place: str
    file: str | None
    body: str


def snippets() -> Iterator[Snippet]:
    """Yield the guide's snippets in order; each says `python` or `sh`, then where it runs."""
    for match in _FENCE.finditer(GUIDE.read_text()):
        language, place, *rest = match["info"].split()
        file = next((option.removeprefix("file=") for option in rest if option.startswith("file=")), None)
        yield Snippet(language, place, file, match["body"])


def follow(place: str, folder: Path) -> int:
    """Run a place's snippets in order, Python ones in one namespace, with `folder` as working directory.

    Raises whatever a snippet raises, and AssertionError where a command fails. Returns how many ran.
    """
    known: dict[str, Any] = {"__name__": "guide"}
    here = Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        found = [snippet for snippet in snippets() if snippet.place == place]
        for snippet in found:
            _run(snippet, known)
        return len(found)
    finally:
        sys.path.remove(str(folder))
        os.chdir(here)


def _run(snippet: Snippet, known: dict[str, Any]) -> None:
    if snippet.file:
        Path(snippet.file).write_text(snippet.body)
    elif snippet.language == "python":
        with warnings.catch_warnings():
            # A reader's Python shows the frameworks' warnings and goes on.
            warnings.simplefilter("ignore")
            exec(compile(snippet.body, str(GUIDE), "exec"), known)
    else:
        for line in snippet.body.splitlines():
            _command(line)


def _command(line: str) -> None:
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        line,
        shell=True,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        env={**os.environ, "PATH": beside},
    )
    assert ended.returncode == 0, f"{line}: {ended.stdout}{ended.stderr}"
