"""Composition root of `python -m dropaudit_evaluation`.

Exit status: 0 every audit agrees with its label, 1 one does not, 2 the folder or its labels cannot be read.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dropaudit.errors import AuditError
from dropaudit.plan import Plan, Provider
from dropaudit_evaluation.corpus import Row, evaluate
from dropaudit_evaluation.text import evaluation_text, row_text

AGREES, DIFFERS, UNREADABLE = 0, 1, 2


def run(arguments: Sequence[str]) -> int:
    """Evaluate the folder that the arguments name, and return the exit status."""
    given = _parser().parse_args(arguments)
    start = time.perf_counter()
    try:
        plan = Plan(seed=given.seed, provider=given.provider)
        found = evaluate(given.corpus, plan, given.processes, _show if sys.stderr.isatty() else _ignore)
    except AuditError as error:
        print(f"dropaudit_evaluation: {error.message}", file=sys.stderr)
        return UNREADABLE
    print(evaluation_text(found, time.perf_counter() - start), end="")
    return DIFFERS if found.disagreeing else AGREES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dropaudit_evaluation",
        description="Audit every model of a labelled folder, and say where the audits disagree with the labels.",
    )
    parser.add_argument("corpus", type=Path, help="folder with a labels.json")
    parser.add_argument("--processes", type=int, default=2, choices=range(1, 65), metavar="N", help="audits at a time")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of inputs and masks")
    parser.add_argument("--provider", type=Provider, default=Provider.CPU, choices=list(Provider), help="where to run")
    return parser


def _show(row: Row) -> None:
    print(row_text(row), file=sys.stderr)


def _ignore(_: Row) -> None:
    pass


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
