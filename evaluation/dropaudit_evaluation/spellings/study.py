"""Audits of many spellings, and where they disagree with the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

from dropaudit.plan import Plan
from dropaudit_evaluation.corpus import judged
from dropaudit_evaluation.labels import FILE, Label
from dropaudit_evaluation.outcome import CRASHED, Outcome, audit_row
from dropaudit_evaluation.processes import over_processes
from dropaudit_evaluation.spellings.generate import spelling

Progress = Callable[["Result"], None]


@dataclass(frozen=True, slots=True)
class Result:
    """One spelling and its audit.

    Attributes:
        number: of the spelling.
        label: what was asked for.
        features: productions and properties of the graph.
        disagreements: a sentence each; none where the audit is right.
        said: verdict and summary, or the error.
        seconds: that the audit took.
    """

    number: int
    label: Label
    features: tuple[str, ...]
    disagreements: tuple[str, ...]
    said: str
    seconds: float


def study(seed: int, numbers: Iterable[int], plan: Plan, processes: int, progress: Progress) -> tuple[Result, ...]:
    """Draw and audit spellings; the results are in the order of their numbers.

    Args:
        seed: of the spellings.
        numbers: which of them.
        plan: of every audit.
        processes: how many audits at a time.
        progress: told after each.
    """
    results = []
    for number, outcome in over_processes(partial(_result, seed, plan), [*numbers], processes):
        result = outcome or _died(seed, number)
        results.append(result)
        progress(result)
    return tuple(sorted(results, key=lambda result: result.number))


def _result(seed: int, plan: Plan, number: int) -> Result:
    drawn = spelling(seed, number)
    with tempfile.TemporaryDirectory() as folder:
        drawn.write(Path(folder))
        outcome = audit_row(Path(folder), drawn.label, plan)
    row = judged(drawn.label, outcome)
    return Result(number, drawn.label, drawn.features, row.disagreements, _said(outcome), outcome.seconds)


def _said(outcome: Outcome) -> str:
    report = outcome.report
    if report is None:
        return f"{outcome.reason}: {outcome.message}"
    return f"{report.verdict} {' '.join(sorted(outcome.codes))}: {report.summary}"


def _died(seed: int, number: int) -> Result:
    drawn = spelling(seed, number)
    return Result(number, drawn.label, drawn.features, ("the process died",), CRASHED, 0.0)


def keep(results: Iterable[Result], seed: int, folder: Path) -> None:
    """Write the graphs of these results, and their labels as a corpus that `make evaluate` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(result, seed, folder) for result in results]
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(rows)))


def _row(result: Result, seed: int, folder: Path) -> dict[str, object]:
    spelling(seed, result.number).write(folder)
    return {**dict(_filled(result.label)), "features": result.features, "disagreements": result.disagreements}


def _filled(label: Label) -> Iterator[tuple[str, object]]:
    """Yield what a label says, and nothing of what it leaves out."""
    for name, value in msgspec.to_builtins(label, order="sorted").items():
        if value not in (None, [], False):
            yield name, value
