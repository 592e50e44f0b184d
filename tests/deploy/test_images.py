"""Claims about the Dockerfiles: a role's image holds the packages that it imports, and no others."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = {"dropaudit_server": "server/Dockerfile", "dropaudit_worker": "worker/Dockerfile"}
REDIS = "deploy/redis/Dockerfile"
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/dropaudit*/__init__.py"))
PERSONAL = (".git/config", ".env", "models/dropaudit_models/__init__.py", "tests/conftest.py", "secrets/redis-admin")


def lines_of(dockerfile: str) -> list[str]:
    """Return a Dockerfile's instructions, each in one line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / dockerfile).read_text(), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def copied(dockerfile: str) -> list[Path]:
    """Return what a Dockerfile copies from the project."""
    words = [line.split()[1:-1] for line in lines_of(dockerfile) if line.startswith("COPY ")]
    return [ROOT / path.replace("${RUNTIME}", "cpu") for each in words if "--from" not in each[0] for path in each]


def modules(path: Path) -> set[str]:
    """Return the modules of a file or a folder."""
    files = [path] if path.suffix == ".py" else path.rglob("*.py")
    parts = (file.relative_to(ROOT).with_suffix("").parts[1:] for file in files)
    return {".".join(each).removesuffix(".__init__") for each in parts if each and each[0].startswith("dropaudit")}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


@pytest.mark.parametrize(("role", "dockerfile"), DOCKERFILES.items())
def test_an_image_holds_all_that_its_role_imports(role: str, dockerfile: str, graph: grimp.ImportGraph) -> None:
    there = set[str]().union(*map(modules, copied(dockerfile)))
    imported = graph.find_upstream_modules(role, as_package=True)
    assert sorted(imported - there) == []
    assert role in there


@pytest.mark.parametrize(("role", "dockerfile"), DOCKERFILES.items())
def test_an_image_holds_no_package_that_its_role_does_not_import(
    role: str, dockerfile: str, graph: grimp.ImportGraph
) -> None:
    there = {name.split(".")[0] for path in copied(dockerfile) for name in modules(path)}
    imported = {name.split(".")[0] for name in graph.find_upstream_modules(role, as_package=True)}
    assert there == {role, *imported}


@pytest.mark.parametrize("dockerfile", [*DOCKERFILES.values(), REDIS])
def test_what_is_copied_is_there_and_not_ignored(dockerfile: str) -> None:
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for path in copied(dockerfile):
        assert path.exists(), path
        name = path.relative_to(ROOT).as_posix()
        assert any(name == each or name.startswith(f"{each}/") for each in allowed), name


@pytest.mark.parametrize("path", PERSONAL)
def test_what_is_nobody_s_business_is_not_sent_to_the_engine(path: str) -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert not any(fnmatch(path, f"{line[1:]}*") for line in lines if line.startswith("!"))


@pytest.mark.parametrize("dockerfile", [*DOCKERFILES.values(), REDIS])
def test_an_image_says_what_it_is_and_runs_as_a_user(dockerfile: str) -> None:
    lines = lines_of(dockerfile)
    (labels,) = (line for line in lines if line.startswith("LABEL "))
    for name in ("title", "description", "source", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels
    (user,) = (line.split()[1] for line in lines if line.startswith("USER "))
    assert int(user.split(":")[0]) > 0


@pytest.mark.parametrize("dockerfile", [*DOCKERFILES.values(), REDIS])
def test_a_base_image_can_be_given_by_its_digest(dockerfile: str) -> None:
    lines = lines_of(dockerfile)
    assert re.fullmatch(r"ARG BASE=\S+", lines[0])
    assert {line.split()[1] for line in lines if line.startswith("FROM ")} <= {"${BASE}", "dependencies"}


@pytest.mark.parametrize("dockerfile", DOCKERFILES.values())
def test_an_edited_source_line_installs_nothing_again(dockerfile: str) -> None:
    stages = "\n".join(lines_of(dockerfile)).split("\nFROM ")
    (installing,) = (stage for stage in stages if "dependencies.sh " in stage and " AS dependencies" in stage)
    assert not re.search(r"dropaudit_\w+ |core/dropaudit ", installing)
