"""Claims about the README: what it shows is what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from dropaudit_client.cli.app import app
from dropaudit_client.local.service import LocalService
from dropaudit_models import export
from support.command import dropaudit

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = "".join(re.findall(r"^```\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
COMMANDS = [line.split("  ")[0] for line in BLOCKS.splitlines() if line.startswith("dropaudit ")]


def between(name: str) -> str:
    """Return what stands between two marks."""
    return README.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0].strip()


def test_the_settings_are_those_that_server_and_worker_read() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate_settings.py"), "--check"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert between("settings").count("\n| `DROPAUDIT_") > 40


def leaves(command: Any, name: str) -> dict[str, Any]:
    """Return the subcommands by the words that call them."""
    parts: dict[str, Any] = getattr(command, "commands", {})
    found = {name: command} if not parts else {}
    for part, each in parts.items():
        found |= leaves(each, f"{name} {part}")
    return found


LEAVES = leaves(typer.main.get_command(app), "dropaudit")


def test_every_command_is_shown() -> None:
    assert {words for words in LEAVES if any(f"{line} ".startswith(f"{words} ") for line in COMMANDS)} == set(LEAVES)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_shown_command_is_one_with_the_options_shown(line: str) -> None:
    (command,) = (found for words, found in LEAVES.items() if f"{line} ".startswith(f"{words} "))
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"(?<!\S)--?[a-z-]+", line)) <= known


def headlines(text: str) -> list[str]:
    """Return the verdicts and the findings of reports."""
    return re.findall(r"^(?:(?:PASS|WARN|FAIL|INCONCLUSIVE)  |(?:ERROR|WARNING|INFO) DA\d{3} ).*$", text, re.MULTILINE)


@pytest.mark.system
def test_the_demo_gives_the_verdicts_and_findings_that_are_shown() -> None:
    shown = headlines(between("demo"))
    assert len(shown) > 3
    assert headlines(dropaudit("demo").stdout) == shown


def snippets() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.system
@pytest.mark.parametrize("number", range(len(snippets())))
def test_the_python_that_is_shown_runs(number: int, service: LocalService, tmp_path: Path) -> None:
    export("lstm-dropout", tmp_path).rename(tmp_path / "model.onnx")
    code = snippets()[number].replace("127.0.0.1:50051", service.address)
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("PASS ")


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make ([a-z-]+)", README))))
def test_a_shown_target_of_make_is_one(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:proto|deploy|server|worker)/[\w./-]+\w", README))))
def test_a_shown_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("extras", sorted(set(re.findall(r'pip install "\.\[([a-z,-]+)\]"', README))))
def test_a_shown_extra_is_one(extras: str) -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(re.search(rf"^{extra} = \[", declared, re.MULTILINE) for extra in extras.split(","))
