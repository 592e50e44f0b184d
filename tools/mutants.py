"""Counts which changes of the code of judge, stats and formats no test notices, with mutmut; writes them down.

    python tools/mutants.py [--parts stats,formats] [--digits 37] [--processes 1] [--output benchmarks]

mutmut changes one operator, number, word or call at a time, and runs the tests that reach it. It wants packages below
src/, so that it works in a copy, in .cache/mutants. With --digits only mutants whose number ends with one of these
are run: each digit is about a tenth of them.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRATCH = ROOT / ".cache" / "mutants"
PACKAGES = sorted(path.parent for path in ROOT.glob("*/dropaudit*/__init__.py"))
KILLED, SURVIVED, UNTESTED = "killed", "survived", "reached by no test"
_STATUS = {0: SURVIVED, 5: UNTESTED, 33: UNTESTED}
# Mutants that are not run, or were interrupted.
_LEFT_OUT = (None, 2, 34)


@dataclass(frozen=True, slots=True)
class Part:
    """Modules that are changed, and the tests that should notice."""

    modules: str
    tests: tuple[str, ...]


PARTS = {
    "stats": Part("dropaudit/stats", ("tests/core/stats", "tests/properties/test_intervals.py")),
    "judge": Part(
        "dropaudit/judge",
        (
            "tests/core/judge",
            "tests/golden/test_judgements.py",
            "tests/golden/test_site_judgements.py",
            "tests/golden/test_model_judgements.py",
            "tests/core/test_recorded.py",
        ),
    ),
    "formats": Part(
        "dropaudit_formats",
        (
            "tests/formats",
            "tests/client/terminal",
            "tests/client/batch/test_batch_reports.py",
            "tests/golden/test_reports.py",
            "tests/golden/test_batches.py",
        ),
    ),
}
_HEAD = """# Mutants

Written by `make mutants`: mutmut changes the code, and the tests of that part are run. Mutants whose number ends with
one of {digits}, and those that no test noticed.
"""
_SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/{part.modules}/*.py"]
also_copy = ["benchmarks"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-o", "pythonpath=tests benchmarks src"]
"""


def main() -> int:
    """Run the parts that are asked for, and print or write the table and what survived."""
    options = argparse.ArgumentParser(description="Counts the changes of code that no test notices.")
    options.add_argument("--parts", default=",".join(PARTS), help="judge, stats and formats by default")
    options.add_argument("--digits", default="", help="run mutants whose number ends with one of these")
    options.add_argument("--output", type=Path, help="folder for mutants.md; without it the document is printed")
    options.add_argument("--processes", type=int, default=2, help="mutants that are run at the same time")
    asked = options.parse_args()
    sections = [section(name, run(PARTS[name], asked.digits, asked.processes)) for name in asked.parts.split(",")]
    text = "\n".join([_HEAD.format(digits=asked.digits or "0 to 9"), *sections])
    if asked.output:
        (asked.output / "mutants.md").write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


def section(name: str, found: dict[str, str]) -> str:
    """Return a part's numbers, and the change that each survivor makes."""
    counts = Counter(found.values())
    lines = [f"## {name}", "", f"{counts[KILLED]} of {len(found)} killed: {share(found):.1%}.", ""]
    left = [mutant for mutant, status in sorted(found.items()) if status != KILLED]
    changes = [f"- `{mutant.partition('.x')[0]}` {found[mutant]}: {changed(mutant)}" for mutant in left]
    return "\n".join([*lines, *changes, ""])


def changed(mutant: str) -> str:
    """Return the lines that a mutant takes away and puts in."""
    command = [str(Path(sys.executable).parent / "mutmut"), "show", mutant]
    shown = subprocess.run(command, cwd=SCRATCH, capture_output=True, text=True, check=False).stdout
    lines = re.findall(r"^[-+] +(.*)$", shown, re.MULTILINE)
    return " becomes ".join(f"`{line}`" for line in lines[:2])


def share(statuses: dict[str, str]) -> float:
    """Return the share of mutants that are killed."""
    return sum(status == KILLED for status in statuses.values()) / max(1, len(statuses))


def run(part: Part, digits: str, processes: int) -> dict[str, str]:
    """Return what became of the mutants of a part, by name."""
    lay_out(part)
    names = [f"{part.modules.replace('/', '.')}.*{digit}" for digit in digits]
    command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", str(processes), *names]
    subprocess.run(command, cwd=SCRATCH, stdout=sys.stderr, check=True)
    return dict(statuses(SCRATCH / "mutants" / "src" / part.modules))


def lay_out(part: Part) -> None:
    """Make a copy with all packages below src/."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    unwanted = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(package, SCRATCH / "src" / package.name, ignore=unwanted)
    for folder in ("tests", "benchmarks"):
        shutil.copytree(ROOT / folder, SCRATCH / folder, ignore=unwanted)
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    added = _SETTINGS.format(part=part, tests=json.dumps(part.tests))
    (SCRATCH / "pyproject.toml").write_text(settings + added, encoding="utf-8")


def statuses(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the mutants that were run, with what became of each; whatever ends the tests otherwise kills it too."""
    for path in sorted(folder.glob("*.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name, code in codes.items():
            if code not in _LEFT_OUT:
                yield name, _STATUS.get(code, KILLED)


if __name__ == "__main__":
    sys.exit(main())
