"""The evaluation of a labelled folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dropaudit.plan import Plan
from dropaudit_evaluation.confusion import Confusion
from dropaudit_evaluation.labels import Label, read_labels
from dropaudit_evaluation.outcome import CRASHED, Outcome, audit_row, disagreements
from dropaudit_evaluation.processes import over_processes

OnRow = Callable[["Row"], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One file: what was asked for, what came, and where they differ."""

    label: Label
    outcome: Outcome
    disagreements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All files of a folder, in the order of its labels."""

    rows: tuple[Row, ...]

    @property
    def disagreeing(self) -> tuple[Row, ...]:
        """Files whose audit says something else than their label."""
        return tuple(row for row in self.rows if row.disagreements)

    def confusion(self) -> Confusion:
        """Count findings by code over all files."""
        counted = Confusion()
        for row in self.rows:
            counted.add(row.label, row.outcome)
        return counted


def evaluate(folder: Path, plan: Plan, processes: int, progress: OnRow) -> Evaluation:
    """Audit every row of a folder.

    Args:
        folder: holds labels.json and what it names.
        plan: of every audit.
        processes: how many audits at a time.
        progress: told after each.

    Raises:
        UnreadableFile: the folder or its labels cannot be read.
        InvalidLabels: they are none.
    """
    labels = read_labels(folder)
    finished: dict[Label, Row] = {}
    for label, outcome in over_processes(partial(_audit, folder, plan), labels, processes):
        row = judged(label, outcome or Outcome(reason=CRASHED, message="the process died"))
        finished[label] = row
        progress(row)
    return Evaluation(tuple(finished[label] for label in labels))


def judged(label: Label, outcome: Outcome) -> Row:
    """Compare an outcome with its label."""
    return Row(label, outcome, disagreements(label, outcome))


def _audit(folder: Path, plan: Plan, label: Label) -> Outcome:
    return audit_row(folder, label, plan)
