"""The seed case's arrays as files, and the command as a real process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]
COMMAND = (sys.executable, "-m", "dropaudit_client")


@pytest.fixture
def recording(tmp_path: Path) -> tuple[Path, Path]:
    """Inverted dropout with keep probability 0.5: 24 of 50 elements kept, each doubled."""
    inference = np.linspace(0.1, 1.0, 50, dtype=np.float32)
    mask = np.arange(50) % 25 < 12
    paths = tmp_path / "inference.npy", tmp_path / "train.npy"
    np.save(paths[0], inference)
    np.save(paths[1], np.where(mask, inference * 2, 0).astype(np.float32))
    return paths


@pytest.fixture
def dropaudit() -> RunCommand:
    """Run the command to its end in a process of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)

    return run
