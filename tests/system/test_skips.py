"""Claims about skipped tests under CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPED = """
import pytest
{mark}
def test_something():
    pytest.skip("no such service")
"""


@pytest.mark.parametrize(
    ("mark", "under_ci", "status"),
    [("", "", 0), ("", "true", 1), ("@pytest.mark.gpu", "true", 0)],
    ids=["on a laptop", "under CI", "a GPU test under CI"],
)
def test_under_ci_only_a_test_that_needs_a_gpu_may_be_skipped(
    mark: str, under_ci: str, status: int, tmp_path: Path
) -> None:
    (tmp_path / "test_skipped.py").write_text(SKIPPED.format(mark=mark))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: needs an NVIDIA GPU\n")
    tests = Path(__file__).parent.parent
    environ = {**os.environ, "CI": under_ci, "PYTHONPATH": str(tests)}
    command = [sys.executable, "-m", "pytest", "-p", "support.skips", "-q", "--rootdir", str(tmp_path), str(tmp_path)]
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == status, ended.stdout + ended.stderr
