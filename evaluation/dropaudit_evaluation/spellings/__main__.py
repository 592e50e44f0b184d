"""Composition root of `python -m dropaudit_evaluation.spellings`.

Exit status: 0 every audit is right, 1 one is not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dropaudit.plan import Plan, Provider
from dropaudit_evaluation.spellings.study import Result, keep, study
from dropaudit_evaluation.spellings.text import study_text

RIGHT, WRONG = 0, 1


def run(arguments: Sequence[str]) -> int:
    """Draw and audit spellings as the arguments say, and return the exit status."""
    given = _parser().parse_args(arguments)
    start = time.perf_counter()
    numbers = range(given.first, given.first + given.count)
    plan = Plan(seed=0, provider=given.provider)
    results = study(given.seed, numbers, plan, given.jobs, _show if sys.stderr.isatty() else _ignore)
    wrong = [result for result in results if result.disagreements]
    if given.output is not None:
        keep(wrong, given.seed, given.output)
    print(study_text(results, time.perf_counter() - start), end="")
    return WRONG if wrong else RIGHT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dropaudit_evaluation.spellings",
        description="Draw graphs that spell dropout by a grammar, audit them, and say where the audits are wrong.",
    )
    parser.add_argument("--count", type=int, default=500, metavar="N", help="how many graphs")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the graphs")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first graph")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where to keep what is judged wrong, with labels")
    parser.add_argument("--jobs", type=int, default=2, choices=range(1, 65), metavar="N", help="audits at a time")
    parser.add_argument("--provider", type=Provider, default=Provider.CPU, choices=list(Provider), help="where to run")
    return parser


def _show(result: Result) -> None:
    print(f"{'differs' if result.disagreements else 'agrees ':7} {result.label.file}", file=sys.stderr)


def _ignore(_: Result) -> None:
    pass


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
