"""Claims about the script that makes the environment: what a machine lacks is said in a sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = Path("tools") / "environment.sh"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script and a pyproject.toml."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / SCRIPT, tmp_path / SCRIPT)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def interpreter(project: Path, refused: str = "nothing is", kept: str = "") -> Path:
    """Return a Python that fails where its arguments hold a text; what it is asked to do goes into `calls`."""
    path = project / "python"
    path.write_text(
        f'#!/bin/sh\necho "$*" >>"{project}/calls"\n'
        f'case "$*" in *"{refused}"*) exit 1 ;; *"-m venv"*) mkdir -p "{project}/made/bin"; '
        f'cp "$0" "{project}/made/bin/python"; exit 0 ;; *"-m pip"*) {kept or "exit 0"} ;; esac\n'
        f'exec {sys.executable} "$@"\n'
    )
    path.chmod(0o755)
    return path


def made(project: Path, python: Path | str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/sh", str(project / SCRIPT), str(project / "made"), "cpu"]
    return subprocess.run(
        command, env={**os.environ, "PYTHON": str(python)}, capture_output=True, text=True, timeout=60, check=False
    )


def said(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    return line.removeprefix("environment: ")


def test_no_python_is_said(project: Path) -> None:
    assert said(made(project, "/no/python3")).startswith("there is no /no/python3; install Python 3.11 or later")


def test_a_python_that_is_too_old_is_said(project: Path) -> None:
    python = interpreter(project, "version_info < (3, 11)")
    assert "is too old; name Python 3.11 or later with PYTHON=" in said(made(project, python))


def test_a_python_without_venv_is_said(project: Path) -> None:
    assert "the package python3-venv" in said(made(project, interpreter(project, "import ensurepip, venv")))


def test_a_pip_that_is_too_old_is_said(project: Path) -> None:
    assert "upgrade pip to 22 or later" in said(made(project, interpreter(project, "pip.__version__")))


def test_a_python_that_the_runtime_has_no_wheel_for_is_said(project: Path) -> None:
    python = interpreter(project, kept='case "$*" in *msgspec*) exit 0 ;; *) exit 1 ;; esac')
    assert said(made(project, python)).startswith(f"onnxruntime has no wheel for Python {sys.version.split()[0]} on ")


def test_a_newer_python_without_wheels_is_told_which_have_some(project: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", project)
    only_the_runtime = interpreter(project, kept='case "$*" in *msgspec*) exit 0 ;; *) exit 1 ;; esac')
    assert "; Python 3.11 to 3.14 have one on Linux and macOS; name another" in said(made(project, only_the_runtime))


def test_a_python_of_tomorrow_for_which_nothing_can_be_installed_is_said(project: Path) -> None:
    (project / "pyproject.toml").write_text('classifiers = ["Programming Language :: Python :: 3.9"]\n')
    sentence = said(made(project, interpreter(project, kept="exit 1")))
    version = sys.version.split()[0]
    assert sentence.startswith(f"Python {version} is newer than 3.9, the newest that all packages are known to have")


def test_a_python_that_packages_are_known_for_is_not_blamed(project: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", project)
    assert said(made(project, interpreter(project, kept="exit 1"))).startswith("the packages could not be installed")


def test_a_free_threaded_python_is_called_one(project: Path) -> None:
    python = interpreter(project, kept='case "$*" in *msgspec*) exit 0 ;; *) exit 1 ;; esac')
    text = python.read_text()
    python.write_text(
        text.replace('case "$*" in', 'case "$*" in *GIL_DISABLED*) printf " (free-threaded)"; exit 0 ;;', 1)
    )
    assert f"for Python {sys.version.split()[0]} (free-threaded) on " in said(made(project, python))


def test_where_nothing_can_be_installed_the_runtime_is_not_blamed(project: Path) -> None:
    assert said(made(project, interpreter(project, kept="exit 1"))).startswith("the packages could not be installed")


def test_the_environment_is_made_again_when_the_project_file_changes_and_only_then(project: Path) -> None:
    python, calls = interpreter(project), project / "calls"

    def installs() -> int:
        assert made(project, python).returncode == 0
        return calls.read_text().count("pip --disable-pip-version-check install")

    assert [installs(), installs()] == [1, 1]
    os.utime(project / "pyproject.toml", (2e9, 2e9))
    assert installs() == 1
    (project / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    assert [installs(), installs()] == [2, 2]
