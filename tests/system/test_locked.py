"""Claims about what the images install: every file known by its hash, from nowhere in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LISTS = sorted((ROOT / "deploy" / "locked").glob("*.txt"))
EXTRAS = {
    "server": ("server", "store", "formats", "s3", "tracing"),
    "worker-cpu": ("worker", "store", "s3", "tracing", "cpu"),
    "worker-gpu": ("worker", "store", "s3", "tracing", "gpu"),
}


def locked(path: Path) -> dict[str, set[str]]:
    """Return the versions of each package; a package may have another one on another Python."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", path.read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def asked(extras: tuple[str, ...]) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for name in extras for line in project["optional-dependencies"][name])]
    return [each for each in map(Requirement, lines) if each.name != "dropaudit"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_package_has_hashes_and_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "--index" not in text
    packages = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert [each.split()[0] for each in packages if "--hash=sha256:" not in each] == []


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_what_is_locked_is_what_the_project_asks_for(path: Path) -> None:
    versions = locked(path)
    wrong = [
        f"{each}: {versions.get(each.name)}"
        for each in asked(EXTRAS[path.stem])
        if not any(each.specifier.contains(version) for version in versions.get(each.name, ()))
    ]
    assert wrong == [], "run `make lock`"


def test_each_image_has_its_list() -> None:
    assert {path.stem for path in LISTS} == set(EXTRAS)
