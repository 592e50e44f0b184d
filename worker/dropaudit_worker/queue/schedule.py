"""When a suite is due: a function of a cron line and an instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from celery.schedules import crontab

_LOOK_BACK = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def latest_due(cron: str, now: float) -> float:
    """Return the latest instant, in seconds since the epoch, at or before `now` that a cron line names in UTC.

    A beat may fire late, or twice: every firing for one instant gets the same answer, which names the run. Where
    nothing was due within a day, it is the minute of `now`.

    Raises:
        celery.schedules.ParseException: the line is not a cron line.
    """
    line = crontab.from_string(cron)
    this_minute = datetime.fromtimestamp(now, UTC).replace(second=0, microsecond=0)
    minute = this_minute
    while this_minute - minute <= _LOOK_BACK:
        if _names(line, minute):
            return minute.timestamp()
        minute -= _MINUTE
    return this_minute.timestamp()


def _names(line: Any, minute: datetime) -> bool:
    """Whether a crontab, whose fields its type stubs do not know, names a minute."""
    return (
        minute.minute in line.minute
        and minute.hour in line.hour
        and minute.month in line.month_of_year
        and minute.day in line.day_of_month
        and minute.isoweekday() % 7 in line.day_of_week
    )
