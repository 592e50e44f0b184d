"""Claims about the documents around the code: they name what is there, and all of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import dropaudit
from support.documents import ROOT, documents
from support.slow import SLOW

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tree() -> set[str]:
    """Return the folders that CONTRIBUTING.md explains."""
    lines = CONTRIBUTING.split("<!-- tree -->")[1].split("<!-- /tree -->")[0].splitlines()
    found: list[str] = []
    root = ""
    for line in lines:
        if match := re.match(r"(?P<indent> *)(?P<path>[\w/]+)/ {2,}\w", line):
            root = root if match["indent"] else match["path"]
            found.append(f"{root}/{match['path']}" if match["indent"] else root)
    assert len(found) == len(set(found))
    return set(found)


def folders() -> set[str]:
    """Return the folders of the packages that hold modules or data, but for those that only hold folders."""
    packages = [*ROOT.glob("*/dropaudit"), *ROOT.glob("*/dropaudit_*")]
    files = [
        path for each in packages for path in each.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    return {
        path.parent.relative_to(ROOT).as_posix()
        for path in files
        if path.name not in ("__init__.py", "py.typed") and path.suffix != ".pyc"
    }


def test_the_tree_explains_every_folder_and_no_other() -> None:
    assert tree() == folders()


@pytest.mark.parametrize("word", ["test", "run", "finding", "release", "version"])
def test_contributing_has_a_section_about(word: str) -> None:
    assert re.search(rf"^##+ .*{word}|^To {word}", CONTRIBUTING, re.MULTILINE | re.IGNORECASE)


def test_paths_that_contributing_names_are_there() -> None:
    named = set(re.findall(r"(?:tests|core|models|docs|proto|worker|examples|tools)/[\w./]+\w", CONTRIBUTING))
    assert len(named) > 10
    assert not {path for path in named if not (ROOT / path.replace("CODE", "DA301")).exists()}


def test_every_term_is_defined() -> None:
    entries = re.findall(r"^(\*\*.+)\n:   \S", GLOSSARY, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^\*\*", GLOSSARY, re.MULTILINE))
    words = {word for entry in entries for names in re.findall(r"\*\*(.+?)\*\*", entry) for word in names.split(", ")}
    wanted = {"site", "mask", "keep probability", "drop rate", "replicate", "reference", "artifact", "subject", "role"}
    wanted |= {"case", "sampling strategy", "chunk", "meter", "look", "lease", "fencing token", "wake-up", "claim"}
    assert wanted <= words


def test_decisions_are_numbered_short_and_listed_by_their_titles() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    for path in DECISIONS:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 40, path.name
        title = re.fullmatch(r"# (\d{4}) (.+)", lines[0])
        assert title is not None
        assert f"| [{title[1]}]({path.name}) | {title[2]} |" in listed


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_links_lead_to_files_that_are_there(path: Path) -> None:
    targets = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (path.parent / target).exists()]


def test_install_stands_in_the_first_screen_of_the_readme() -> None:
    first = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:25]
    assert any(line.startswith("pip install ") for line in first)


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == dropaudit.__version__


def test_classifiers_begin_with_the_lowest_python_that_is_allowed() -> None:
    versions = re.findall(r"Python :: (3\.\d+)'", str(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">={versions[0]}"
    assert versions == sorted(versions, key=lambda version: int(version.split(".")[1]))


def test_every_package_says_that_it_is_typed() -> None:
    packages = [path.parent for path in ROOT.glob("*/dropaudit*/__init__.py")]
    assert len(packages) == 10
    assert all((package / "py.typed").exists() for package in packages)


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name
)
def test_templates_of_issues_are_forms(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.name == "config.yml":
        assert form == {"blank_issues_enabled": False}
        return
    assert {"name", "description", "body"} <= set(form)
    assert all({"type", "id", "attributes"} <= set(field) for field in form["body"])


def test_what_the_fast_tests_leave_out_is_there() -> None:
    assert sorted(SLOW) == list(SLOW)
    assert not [each for each in SLOW if not (ROOT / each.split("::")[0]).exists()]
    for path, _, name in (each.partition("::") for each in SLOW):
        assert not name or f"def {name}" in (ROOT / path).read_text(encoding="utf-8"), name


def test_hooks_for_commits_call_what_is_there() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    for hook in local["hooks"]:
        words = hook["entry"].split()
        assert all((ROOT / word).exists() for word in words if word.endswith((".py", ".sh"))), hook["id"]
        assert hook["language"] == "system"
