"""Composition root of `python -m dropaudit_evaluation.calibration`, which `make calibrate` runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dropaudit.errors import AuditError
from dropaudit_evaluation.calibration.alarms import count
from dropaudit_evaluation.calibration.coverage import FULL, Size, keep_rate_coverage, mean_coverage
from dropaudit_evaluation.calibration.document import (
    ALARMS,
    KEEP_RATE,
    MEAN,
    Document,
    alarms_part,
    keep_rate_part,
    mean_part,
)
from dropaudit_evaluation.calibration.specimens import (
    faulty_graphs,
    healthy_graphs,
    kind_trials,
    reference_trials,
    situation_trials,
    spelling_trials,
)
from dropaudit_evaluation.calibration.tables import markdown
from dropaudit_evaluation.calibration.trials import trials_of_folder

PARTS = (KEEP_RATE, MEAN, ALARMS)
# Audits of all healthy models together, audits of each fault, models of each kind that they are spread over, and
# spellings that are drawn.
HEALTHY_AUDITS, FAULTY_AUDITS, SETTINGS, SPELLINGS = 10_000, 200, 20, 400
_SMALL = Size(streams=200, steps=256, cells=4096)


def run(arguments: Sequence[str]) -> int:
    """Measure what the arguments name, write both files, and return the exit status."""
    given = _parser().parse_args(arguments)
    path: Path = given.output / "calibration.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for part in given.parts:
            document[part] = _measured(part, given)
            print(f"measured {part}", file=sys.stderr)
    except AuditError as error:
        print(f"dropaudit_evaluation.calibration: {error.message}", file=sys.stderr)
        return 2
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (given.output / "calibration.md").write_text(markdown(document), encoding="utf-8")
    return 0


def _measured(part: str, given: argparse.Namespace) -> list[Document]:
    size = _SMALL if given.small else FULL
    match part:
        case "keepRate":
            return keep_rate_part(keep_rate_coverage(size, given.processes))
        case "mean":
            return mean_part(mean_coverage(size, given.processes))
        case _:
            return _alarms(given)


def _alarms(given: argparse.Namespace) -> list[Document]:
    trials = healthy_graphs() + reference_trials() + faulty_graphs()
    trials += kind_trials(1 if given.small else SETTINGS)
    trials += situation_trials() + spelling_trials(4 if given.small else SPELLINGS)
    if given.corpus is not None:
        trials += trials_of_folder(given.corpus)
    healthy, faulty = [t for t in trials if t.healthy], [t for t in trials if not t.healthy]
    each = 1 if given.small else -(-HEALTHY_AUDITS // len({trial.name for trial in healthy}))
    tallies = count(healthy, each, given.processes, _show)
    return alarms_part(tallies | count(faulty, 1 if given.small else FAULTY_AUDITS, given.processes, _show))


def _show(done: int, every: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {every} audits", end="" if done < every else "\n", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dropaudit_evaluation.calibration",
        description="Measure the audit's error rates, and write calibration.md and calibration.json.",
    )
    parser.add_argument(
        "--output", "-o", type=Path, default=Path("benchmarks"), metavar="DIR", help="folder to write to"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="measure these, keep the others")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="a labelled folder whose models are audited too")
    parser.add_argument("--processes", type=int, default=2, choices=range(1, 65), metavar="N", help="at a time")
    parser.add_argument("--small", action="store_true", help="a few seconds, to see that it works")
    return parser


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
