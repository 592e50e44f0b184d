"""The series of each measure over the runs of a suite, or over the versions of a model."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from dropaudit.changes.alignment import new_names
from dropaudit.changes.movement import Movement, Quantity, measures_of, movements, widening
from dropaudit.plan import DEFAULT_ALPHA
from dropaudit.report import Interval, Report


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One audit of a series; `label` names its run or version."""

    label: str
    report: Report
    time: datetime | None = None


class Point(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A measure at one audit; `moved`: its interval has nothing in common with that of the point before."""

    label: str
    value: Interval
    time: datetime | None = None
    moved: bool = False


class Series(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A measure of one site or output; `subject` is its name in the last audit that measured it."""

    quantity: Quantity
    subject: str
    points: tuple[Point, ...]


def trends(samples: Iterable[Sample], *, alpha: float = DEFAULT_ALPHA) -> tuple[Series, ...]:
    """Return the series of every measure, oldest audit first; a renamed site goes on in one series.

    Args:
        samples: audits of one subject, oldest first.
        alpha: level of the audits; the chance that any point of any series is said to have moved and has not.
    """
    listed = list(samples)
    factor = widening(max(1, len(listed) - 1), alpha)
    series: dict[tuple[Quantity, str], list[Point]] = {}
    before: Sample | None = None
    for sample in listed:
        moved = set()
        if before is not None:
            renamed = new_names(before.report, sample.report)
            series = _renamed(series, renamed)
            moved = {_key(each) for each in movements(before.report, sample.report, renamed, factor)}
        for measure in measures_of(sample.report):
            key = measure.quantity, measure.subject
            point = Point(label=sample.label, time=sample.time, value=measure.value, moved=key in moved)
            series.setdefault(key, []).append(point)
        before = sample
    return tuple(
        Series(quantity=quantity, subject=subject, points=tuple(points))
        for (quantity, subject), points in series.items()
    )


def _renamed(
    series: dict[tuple[Quantity, str], list[Point]], names: dict[str, str]
) -> dict[tuple[Quantity, str], list[Point]]:
    return {(quantity, names.get(subject, subject)): points for (quantity, subject), points in series.items()}


def _key(movement: Movement) -> tuple[Quantity, str]:
    return movement.quantity, movement.subject
