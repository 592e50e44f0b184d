"""Claims about the wheel: it holds what the packages read at run time, says that they are typed, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest

from dropaudit.findings import CATALOGUE
from support.documents import ROOT

PACKAGES = sorted(path.parent for path in ROOT.glob("*/dropaudit*/__init__.py"))

STORE = ROOT / "store" / "dropaudit_store"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_every_package_is_in_it_and_typed(wheel: zipfile.ZipFile) -> None:
    assert {f"{package.name}/py.typed" for package in PACKAGES} <= set(wheel.namelist())


def test_what_is_read_at_run_time_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {f"dropaudit/explanations/{code}.md" for code in CATALOGUE} <= names
    assert {"dropaudit/runtime/kernels/counts.cu", "dropaudit_models/data/train.npy"} <= names
    scripts = {path.relative_to(STORE).as_posix() for path in STORE.rglob("*.lua")}
    assert len(scripts) > 30
    assert {f"dropaudit_store/{path}" for path in scripts} <= names
    assert {"dropaudit_proto/v1/audit.proto", "dropaudit_formats/page/templates/report.css"} <= names


def test_nothing_else_lands_in_site_packages(wheel: zipfile.ZipFile) -> None:
    allowed = {package.name for package in PACKAGES} | {"dropaudit-0.1.0.dist-info"}
    assert {name.split("/")[0] for name in wheel.namelist()} == allowed


def test_its_metadata_lead_to_the_project(wheel: zipfile.ZipFile) -> None:
    metadata = Parser().parsestr(wheel.read("dropaudit-0.1.0.dist-info/METADATA").decode())
    labels = {value.split(", ")[0] for value in metadata.get_all("Project-URL", [])}
    assert {"Homepage", "Documentation", "Repository", "Issues", "Changelog"} <= labels
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])
