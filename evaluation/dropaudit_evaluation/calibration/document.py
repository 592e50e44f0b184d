"""Results as plain JSON, from which the tables are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dropaudit_evaluation.calibration.alarms import Tally
from dropaudit_evaluation.calibration.binomial import Proportion
from dropaudit_evaluation.calibration.coverage import KeepRateRow, MeanRow

Document = dict[str, Any]
KEEP_RATE, MEAN, ALARMS = "keepRate", "mean", "alarms"


def proportion(found: Proportion) -> Document:
    """Return events and trials with the exact interval."""
    return {"events": found.events, "trials": found.trials, "lower": found.lower, "upper": found.upper}


def keep_rate_part(rows: Sequence[KeepRateRow]) -> list[Document]:
    """Return the coverage of the confidence sequence for a keep probability."""
    return [
        {
            "keepProb": row.keep_prob,
            "alpha": row.alpha,
            "schedule": row.schedule,
            "misses": proportion(row.misses),
            "exact": row.exact,
        }
        for row in rows
    ]


def mean_part(rows: Sequence[MeanRow]) -> list[Document]:
    """Return the coverage of the asymptotic sequence."""
    return [
        {
            "elements": row.elements,
            "keepProb": row.keep_prob,
            "alpha": row.alpha,
            "schedule": row.schedule,
            "patient": row.patient,
            "misses": proportion(row.watched.misses),
            "falseDecisions": proportion(row.watched.false_decisions),
        }
        for row in rows
    ]


def alarms_part(tallies: Mapping[str, Tally]) -> list[Document]:
    """Return the tallies."""
    return [
        {
            "name": name,
            "healthy": tally.healthy,
            "audits": tally.audits,
            "falseErrors": tally.false_errors,
            "falseWarnings": tally.false_warnings,
            "wrong": proportion(tally.alarms),
            "missing": proportion(tally.misses),
            "undecided": tally.undecided,
            "codes": dict(sorted(tally.codes.items())),
        }
        for name, tally in tallies.items()
    ]
