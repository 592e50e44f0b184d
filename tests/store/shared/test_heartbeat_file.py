"""Claims about the file that tells that a process does its work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dropaudit_store.shared.heartbeat_file import HeartbeatFile


def test_each_beat_makes_the_file_young(tmp_path: Path) -> None:
    file = HeartbeatFile(str(tmp_path / "alive"))
    file.beat()
    os.utime(tmp_path / "alive", (1, 1))
    file.beat()
    assert (tmp_path / "alive").stat().st_mtime > 1_000_000


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    HeartbeatFile("").beat()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_told_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = HeartbeatFile(str(tmp_path / "missing" / "alive"))
    for _ in range(3):
        file.beat()
    said = capsys.readouterr()
    assert (said.out + said.err).count("the heartbeat file cannot be written") == 1
