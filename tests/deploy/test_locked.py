"""Claims about what the images install: all that is needed, each file known by its hash, from nowhere in particular."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LISTS = sorted((ROOT / "deploy" / "locked").glob("*.txt"))
EXTRAS = {
    "server": ("server", "store", "formats", "web", "s3", "tracing"),
    "worker-cpu": ("worker", "store", "s3", "tracing", "mlflow", "cpu"),
    "worker-gpu": ("worker", "store", "s3", "tracing", "mlflow", "gpu"),
}
# The server reads no graph and runs no model.
NOT_IN_SERVER = {"onnx", "onnxruntime", "onnxruntime-gpu", "ml-dtypes"}


def locked(name: str) -> dict[str, set[str]]:
    """Return the versions of each package; a package may have another one on another Python."""
    found: dict[str, set[str]] = {}
    text = (ROOT / "deploy" / "locked" / f"{name}.txt").read_text()
    for package, version in re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", text, re.MULTILINE):
        found.setdefault(package, set()).add(version)
    return found


def asked(name: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in EXTRAS[name] for line in extras[extra])]
    left_out = {"dropaudit"} | (NOT_IN_SERVER if name == "server" else set())
    return [each for each in map(Requirement, lines) if each.name not in left_out]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_package_has_hashes_and_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "--index" not in text
    packages = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert [each.split()[0] for each in packages if "--hash=sha256:" not in each] == []


@pytest.mark.parametrize("name", EXTRAS)
def test_what_is_locked_is_what_the_project_asks_for(name: str) -> None:
    versions = locked(name)
    wrong = [
        f"{each}: {versions.get(each.name)}"
        for each in asked(name)
        if not any(each.specifier.contains(version) for version in versions.get(each.name, ()))
    ]
    assert wrong == [], "run `make lock`"


def test_the_server_can_run_no_model() -> None:
    assert NOT_IN_SERVER & locked("server").keys() == set()


def test_only_the_gpu_s_image_has_nvidia_s_libraries() -> None:
    theirs = {name: [each for each in locked(name) if each.startswith("nvidia-")] for name in EXTRAS}
    assert theirs["server"] == theirs["worker-cpu"] == []
    assert "nvidia-cudnn-cu13" in theirs["worker-gpu"]


@pytest.mark.parametrize("name", EXTRAS)
def test_what_builds_the_project_is_not_in_an_image(name: str) -> None:
    assert locked("build").keys() - {"packaging"} & locked(name).keys() == set()


def test_each_image_has_its_list_and_the_build_its_own() -> None:
    assert {path.stem for path in LISTS} == {*EXTRAS, "build"}
