"""An evaluation for people."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from dropaudit.findings import CATALOGUE
from dropaudit_evaluation.corpus import Evaluation, Row

_SLOWEST = 3


def evaluation_text(evaluation: Evaluation, wall_seconds: float) -> str:
    """Return the confusion matrix by code, every disagreement, and the times."""
    return "\n".join([*_matrix(evaluation), "", *_disagreements(evaluation), *_times(evaluation, wall_seconds), ""])


def _matrix(evaluation: Evaluation) -> Iterator[str]:
    yield f"{'code':6} {'slug':26} {'expected':>10} {'expected':>10} {'forbidden':>10} {'found':>10}"
    yield f"{'':6} {'':26} {'and found':>10} {'and missed':>10} {'but found':>10} {'otherwise':>10}"
    for code, *counts in evaluation.confusion().rows():
        yield f"{code:6} {CATALOGUE[code].slug:26} " + " ".join(f"{count or '.':>10}" for count in counts)


def _disagreements(evaluation: Evaluation) -> Iterator[str]:
    for row in evaluation.disagreeing:
        pair = f" with {row.label.inference}" if row.label.inference else f" in role {row.label.role}"
        yield f"{row.label.file}{pair}"
        yield from (f"    {sentence}" for sentence in row.disagreements)
        if row.outcome.report is not None:
            yield f"    it says {row.outcome.report.verdict}: {row.outcome.report.summary}"
        yield ""


def _times(evaluation: Evaluation, wall_seconds: float) -> Iterator[str]:
    rows = evaluation.rows
    yield f"{len(rows) - len(evaluation.disagreeing)} of {len(rows)} files agree with their labels"
    if rows:
        middle = statistics.median(row.outcome.seconds for row in rows)
        slowest = sorted(rows, key=lambda row: -row.outcome.seconds)[:_SLOWEST]
        named = ", ".join(f"{row.label.file} {row.outcome.seconds:.2f} s" for row in slowest)
        yield f"{wall_seconds:.1f} s in all, {middle:.2f} s an audit (median); slowest: {named}"


def row_text(row: Row) -> str:
    """Return one line about one file, for progress."""
    return f"{'differs' if row.disagreements else 'agrees ':7} {row.outcome.seconds:7.2f} s  {row.label.file}"
