"""When a cron line is due: functions of the line, a time zone and instants.

A time of day that daylight saving leaves out is due when the gap ends, once however many fall into it. Of a time that
comes twice the first is due. A line that names every hour means no time of day: it is due whenever the clock on the
wall shows a minute that it names, which may be twice, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from dropaudit.schedules.cron import Cron

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
# A 29 February on a weekday comes every 28 years, and every 40 about a century that is not a leap year.
_LONGEST_WAIT_DAYS = 366 * 41
# No zone has changed by more, and no day has more minutes than two.
_MARGIN = timedelta(hours=30)


def due_between(cron: Cron, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the instants in (after, until] at which a line is due, in UTC, in order.

    Args:
        after, until: with a time zone.
    """
    minute = after.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    end = until.astimezone(UTC)
    before = _wall(minute - _MINUTE, zone)
    while minute <= end:
        wall = _wall(minute, zone)
        no_day_left_out = wall.date() - before.date() <= _DAY
        if no_day_left_out and not cron.names_day(wall) and not cron.names_day(before):
            # Nothing is due before the next day of the wall begins.
            minute, before = _skip(minute, wall, zone)
            continue
        if _is_due(cron, before, wall):
            yield minute
        minute, before = minute + _MINUTE, wall


def next_due(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first instant after another at which a line is due, in UTC; None where it never is."""
    start = after.astimezone(zone).date() - _DAY
    for day in _named_days(cron, start, start + _LONGEST_WAIT_DAYS * _DAY):
        low, high = _around(day)
        found = next(due_between(cron, zone, max(after, low), high), None)
        if found is not None:
            return found
    return None


def _named_days(cron: Cron, day: date, end: date) -> Iterator[date]:
    """Yield the days that a line names; months that it does not name are left out as a whole."""
    while day < end:
        if day.month not in cron.months:
            day = (day.replace(day=28) + 4 * _DAY).replace(day=1)
            continue
        if cron.names_day(day):
            yield day
        day += _DAY


def _around(day: date) -> tuple[datetime, datetime]:
    """Return instants before and after all of a day, wherever its zone is."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return noon - _MARGIN, noon + _MARGIN


def _wall(minute: datetime, zone: ZoneInfo) -> datetime:
    return minute.astimezone(zone)


def _skip(minute: datetime, wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return a later minute of the same day on the wall, or the next one, and what the wall showed a minute before."""
    left = (24 * 60 - 1) - (wall.hour * 60 + wall.minute)
    # Clocks may be put on meanwhile: what is left of the day may be less, and is walked through.
    step = max(1, left - 180)
    later = minute + step * _MINUTE
    return later, _wall(later - _MINUTE, zone)


def _is_due(cron: Cron, before: datetime, wall: datetime) -> bool:
    if cron.every_hour:
        return cron.names(wall)
    if wall.fold == 0 and cron.names(wall):
        return True
    return any(map(cron.names, _left_out(before, wall)))


def _left_out(before: datetime, wall: datetime) -> Iterator[datetime]:
    """Yield the minutes of the wall between two that follow each other: there are some where clocks are put on."""
    missing, end = before.replace(tzinfo=None) + _MINUTE, wall.replace(tzinfo=None)
    while missing < end:
        yield missing
        missing += _MINUTE
