"""Claims about the documents for newcomers: what they show is what there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dropaudit_models.seed_case import seed_case

DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
GUIDE = (DOCS / "reading-a-report.md").read_text(encoding="utf-8")
LEFT_OUT = "[…]"


def steps() -> list[tuple[str, str]]:
    """Return every command of the tutorial with what is shown of its output."""
    blocks = re.findall(r"```console\n(.*?)```", TUTORIAL, re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [_parted(part) for part in parts]


def _parted(part: str) -> tuple[str, str]:
    """Part a command, which may have quotes or a text over several lines, from its output."""
    lines = part.splitlines()
    last = 0
    if "<<'EOF'" in lines[0]:
        last = lines.index("EOF")
    elif lines[0].count('"') % 2:
        last = next(at for at in range(1, len(lines)) if '"' in lines[at])
    return "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])


def as_told(text: str) -> str:
    """Return a text with its numbers and its line breaks made alike."""
    return " ".join(re.sub(r"\d+(?:\.\d+)?", "N", text).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, which the steps share."""
    return tmp_path_factory.mktemp("tutorial")


@pytest.mark.parametrize("number", range(len(steps())))
def test_a_step_of_the_tutorial_prints_what_is_shown(folder: Path, number: int) -> None:
    command, shown = steps()[number]
    environ = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LC_ALL": "C.UTF-8",
        # Plugins of this environment have warnings of their own.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    ended = subprocess.run(
        [shutil.which("bash") or "bash", "-c", command],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.returncode == (1 if "unscaled" in command and "run" in command else 0)
    rest = as_told(ended.stdout)
    for fragment in map(as_told, shown.split(LEFT_OUT)):
        assert fragment in rest
        rest = rest[rest.index(fragment) + len(fragment) :]


def test_the_guide_shows_the_numbers_of_the_seed_case() -> None:
    subject = seed_case()
    rows = re.findall(r"^\| (\d) \| (\S+) \| (\S+) \| (twice|dropped) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == 5
    for unit, plain, dropped, said in rows:
        before, after = (float(array.ravel()[int(unit)]) for array in (subject.inference, subject.train[0]))
        assert (float(plain), float(dropped)) == pytest.approx((before, after), rel=1e-7)
        assert after == pytest.approx({"twice": 2 * before, "dropped": 0.0}[said], rel=1e-6)


@pytest.mark.parametrize("name", ["tutorial.md", "reading-a-report.md", "../README.md"])
def test_every_link_of_a_document_leads_somewhere(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert "://" in target or (DOCS / name).parent.joinpath(target).exists(), target
