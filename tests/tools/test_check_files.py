"""Claims about the check of files as text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.documents import ROOT

PROGRAM = ROOT / "tools" / "check_files.py"


def said(folder: Path, *names: str) -> list[str]:
    command = [sys.executable, str(PROGRAM), *names]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout == ""
    assert ended.returncode == (1 if ended.stderr else 0)
    return ended.stderr.splitlines()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a", "does not end with a newline"),
        (b"a\n\n", "ends with empty lines"),
        (b"a \nb\n", "has lines that end with whitespace"),
        (b"a\t\n", "has lines that end with whitespace"),
        (b"a\r\nb\r\n", "has carriage returns"),
        (b"a\n<<<<<<< ours\nb\n", "has a conflict marker"),
        (b"a\n=======\nb\n", "has a conflict marker"),
        (b"\0" * (2 << 20), "is larger than 1 MiB"),
    ],
)
def test_what_is_wrong_is_said_with_the_name(content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "a file.txt").write_bytes(content)
    assert f"a file.txt: {sentence}" in said(tmp_path, "a file.txt")


@pytest.mark.parametrize("content", [b"", b"a\n", b"a\n\nb\n", b"\0 \r\n \n\n", "größe\n========\n".encode()])
def test_what_is_in_order_is_passed_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert said(tmp_path, "a", "a file that is gone") == []


def test_without_names_all_that_git_knows_is_checked(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for name in ("known", "ignored"):
        (tmp_path / name).write_text("no newline")
    subprocess.run(["git", "add", "known"], cwd=tmp_path, check=True)
    assert said(tmp_path) == ["known: does not end with a newline"]
