"""Claims about the example in TypeScript, where node is: npm installs it, it compiles, and it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dropaudit_client.local.service import LocalService

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "examples" / "typescript"


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (SOURCE / "package-lock.json").read_text(encoding="utf-8")


def npm(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npm", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "DROPAUDIT_PROTO": str(ROOT / "proto"), "NO_UPDATE_NOTIFIER": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


if shutil.which("npm"):

    @pytest.mark.system
    def test_it_installs_compiles_and_tells_a_faulty_model_from_its_twin(
        service: LocalService, healthy: Path, faulty: Path, tmp_path: Path
    ) -> None:
        folder = shutil.copytree(SOURCE, tmp_path / "ts", ignore=shutil.ignore_patterns("node_modules", "build"))
        installed = npm(folder, "ci", "--prefer-offline")
        assert installed.returncode == 0, installed.stderr
        right = npm(folder, "run", "--silent", "audit", "--", healthy, service.address)
        assert (right.returncode, right.stdout.split()[0]) == (0, "PASS"), right.stdout + right.stderr
        wrong = npm(folder, "run", "--silent", "audit", "--", faulty, service.address)
        assert wrong.returncode == 1, wrong.stderr
        assert "ERROR DA301 scale-missing  output_dropout" in wrong.stdout
        away = npm(folder, "run", "--silent", "audit", "--", healthy, "127.0.0.1:1")
        assert (away.returncode, away.stdout) == (2, "")
        assert "UNAVAILABLE" in away.stderr
