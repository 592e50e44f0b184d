"""Cron lines of five fields: minute, hour, day of month, month, day of week."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime

import msgspec

_LONGEST, _SHOWN = 256, 80
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
# Sunday is 0, and 7.
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_PART = re.compile(r"(?:(?P<all>\*)|(?P<low>[0-9]+|[a-z]+)(?:-(?P<high>[0-9]+|[a-z]+))?)(?:/(?P<step>[0-9]+))?")
# February has its longest in a leap year.
_LEAP_YEAR = 2024


class CronError(ValueError):
    """The mistake in a cron line, in a sentence; `field` is the field's name, empty where there are not five."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class _Field(msgspec.Struct, frozen=True):
    name: str
    low: int
    high: int
    words: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of month", 1, 31, {}),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 7, _DAYS),
)


class Cron(msgspec.Struct, frozen=True):
    """The values that each field names; Sunday is 0.

    Attributes:
        every_hour: whether the hour field names all hours, so that a time of day means nothing.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def every_hour(self) -> bool:
        """Whether the fields name all hours."""
        return len(self.hours) == 24

    def names_day(self, day: date) -> bool:
        """Whether a day is named: it must fit both fields of days."""
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays

    def names(self, minute: datetime) -> bool:
        """Whether the fields name this minute of local time."""
        return minute.minute in self.minutes and minute.hour in self.hours and self.names_day(minute)


def parse(line: str) -> Cron:
    """Read a cron line: numbers, names of months and days, lists, ranges, steps and `*`.

    Raises:
        CronError: it is not one, or names a day that never comes.
    """
    words = line.lower().split()
    if len(words) != len(_FIELDS) or len(line) > _LONGEST:
        raise CronError("", f"five cron fields are needed, such as '0 3 * * *', not {line[:_SHOWN]!r}")
    minutes, hours, days, months, weekdays = (_values(each, word) for each, word in zip(_FIELDS, words, strict=True))
    if not any(min(days) <= calendar.monthrange(_LEAP_YEAR, month)[1] for month in months):
        raise CronError(
            "day of month", f"the day of month {words[2]!r} is wrong: no month of {words[3]!r} has such a day"
        )
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays))


def _values(field: _Field, text: str) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _range(field, part, text))


def _range(field: _Field, part: str, text: str) -> range:
    found = _PART.fullmatch(part)
    if found is None:
        raise _wrong(field, text, f"{part[:_SHOWN]!r} is not a number, a range, a step or '*'")
    step = int(found["step"] or 1)
    low, high = _ends(field, found, text)
    if low > high:
        raise _wrong(field, text, f"the range {part!r} ends before it begins")
    if not 1 <= step <= field.high:
        raise _wrong(field, text, f"the step {step} is not from 1 to {field.high}")
    return range(low, high + 1, step)


def _ends(field: _Field, found: re.Match[str], text: str) -> tuple[int, int]:
    if found["all"]:
        return field.low, min(field.high, 6) if field.name == "day of week" else field.high
    low = _number(field, found["low"], text)
    if found["high"]:
        return low, _number(field, found["high"], text)
    return low, field.high if found["step"] else low


def _number(field: _Field, word: str, text: str) -> int:
    if not word.isdecimal():
        if word not in field.words:
            raise _wrong(field, text, f"{word[:_SHOWN]!r} is not one of {', '.join(field.words) or 'the numbers'}")
        return field.words[word]
    number = int(word[:_SHOWN])
    if not field.low <= number <= field.high:
        raise _wrong(field, text, f"{number} is not from {field.low} to {field.high}")
    return number


def _wrong(field: _Field, text: str, sentence: str) -> CronError:
    return CronError(field.name, f"the {field.name} {text[:_SHOWN]!r} is wrong: {sentence}")
