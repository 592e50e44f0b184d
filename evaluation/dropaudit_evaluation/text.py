"""An evaluation for people."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator

from dropaudit.findings import CATALOGUE
from dropaudit_evaluation.corpus import Evaluation, Row
from dropaudit_evaluation.outcome import drawn_one_by_one

_SLOWEST = 3


def evaluation_text(evaluation: Evaluation, wall_seconds: float) -> str:
    """Return the confusion matrix by code, every disagreement, how replicates were drawn, and the times."""
    parts = (_matrix(evaluation), [""], _disagreements(evaluation), _sampling(evaluation), [""])
    return "\n".join([*(line for part in parts for line in part), *_times(evaluation, wall_seconds), ""])


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


def _sampling(evaluation: Evaluation) -> Iterator[str]:
    """Say how many audits draw replicates one by one, and why each of them does."""
    drawn = [row for row in evaluation.rows if row.outcome.report is not None and row.outcome.report.execution.sampling]
    alone = [(row.label.file, why) for row in drawn if (why := drawn_one_by_one(row.outcome))]
    share = 100 * len(alone) / max(1, len(drawn))
    yield f"{len(alone)} of {len(drawn)} audits that draw replicates draw them one by one ({share:.0f}%)"
    for why, count in Counter(why for _, why in alone).most_common():
        yield f"    {count} since {why}: {', '.join(file for file, each in alone if each == why)}"


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
