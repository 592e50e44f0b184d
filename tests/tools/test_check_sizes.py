"""Claims about the check of sizes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.documents import ROOT

PROGRAM = ROOT / "tools" / "check_sizes.py"


def said(folder: Path) -> list[str]:
    command = [sys.executable, str(PROGRAM), "room"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == (1 if ended.stderr else 0)
    return ended.stderr.splitlines()


def room(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / "room" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def function(lines: int) -> str:
    body = "    pass\n" * lines
    return f'def long() -> None:\n    """A docstring\n    of lines.\n    """\n{body}'


def small(count: int) -> dict[str, str]:
    return {f"small{i}": "def short() -> None:\n    pass\n" * 2 for i in range(count)}


def test_a_file_of_more_than_400_lines_is_named(tmp_path: Path) -> None:
    assert said(room(tmp_path, large="x = 1\n" * 401, **small(2))) == ["room/large.py: 401 lines, at most 400"]
    assert said(room(tmp_path, large="x = 1\n" * 400)) == []


def test_the_median_of_all_files_is_told(tmp_path: Path) -> None:
    assert said(room(tmp_path, one="x = 1\n" * 101)) == ["the median of all files is 101 lines, at most 100"]


def test_a_body_of_more_than_50_lines_is_named_without_its_docstring(tmp_path: Path) -> None:
    assert said(room(tmp_path, one=function(51), **small(9))) == ["room/one.py:1: long has 51 lines, at most 50"]
    assert said(room(tmp_path, one=function(50))) == []


def test_one_body_in_ten_may_be_longer_than_usual(tmp_path: Path) -> None:
    sentence = "one body in ten has 16 lines or more, at most 15"
    assert said(room(tmp_path, one=function(16), **small(9))) == []
    assert said(room(tmp_path, one=function(16) * 3)) == [sentence]
    assert said(room(tmp_path, one=function(15) * 3)) == []


def test_a_folder_of_more_than_15_modules_is_named(tmp_path: Path) -> None:
    assert said(room(tmp_path, **small(15), __init__="")) == []
    assert said(room(tmp_path, **small(16))) == ["room: 16 modules, at most 15"]


def test_generated_code_does_not_count(tmp_path: Path) -> None:
    assert said(room(tmp_path, made_pb2="x = 1\n" * 2000)) == []
