"""Claims about cron lines."""

from __future__ import annotations

from datetime import date

import pytest

from dropaudit.schedules import CronError, ZoneError, parse, zone


@pytest.mark.parametrize(
    ("line", "field", "values"),
    [
        ("*/15 * * * *", "minutes", {0, 15, 30, 45}),
        ("5-10/2 * * * *", "minutes", {5, 7, 9}),
        ("7/20 * * * *", "minutes", {7, 27, 47}),
        ("0 1,2,22-23 * * *", "hours", {1, 2, 22, 23}),
        ("0 0 * JAN,mar *", "months", {1, 3}),
        ("0 0 * * sun,7,mon-wed", "weekdays", {0, 1, 2, 3}),
        ("0 0 * * *", "weekdays", {0, 1, 2, 3, 4, 5, 6}),
        ("  0\t0 1  * * ", "days", {1}),
    ],
)
def test_a_field_names_its_values(line: str, field: str, values: set[int]) -> None:
    assert getattr(parse(line), field) == values


@pytest.mark.parametrize(
    ("line", "field", "word"),
    [
        ("60 * * * *", "minute", "60 is not from 0 to 59"),
        ("* 24 * * *", "hour", "24 is not from 0 to 23"),
        ("* * 0 * *", "day of month", "0 is not from 1 to 31"),
        ("* * * 13 *", "month", "13 is not from 1 to 12"),
        ("* * * * 8", "day of week", "8 is not from 0 to 7"),
        ("* * * * monday", "day of week", "'monday' is not one of sun, mon"),
        ("a * * * *", "minute", "'a' is not one of the numbers"),
        ("*/0 * * * *", "minute", "the step 0"),
        ("* 9-5 * * *", "hour", "ends before it begins"),
        ("1,,2 * * * *", "minute", "'' is not a number"),
        ("* * 31 feb,apr *", "day of month", "no month of 'feb,apr' has"),
        ("* * 30 2 *", "day of month", "no month"),
        ("-1 * * * *", "minute", "'-1' is not a number"),
        ("² * * * *", "minute", "is not a number"),
        ("* * * *", "", "five cron fields"),
        ("* * * * * *", "", "five cron fields"),
        ("", "", "five cron fields"),
        ("@daily", "", "five cron fields"),
        ("0 " * 4 + "0" * 300, "", "five cron fields"),
    ],
)
def test_what_is_not_a_cron_line_says_which_field_and_why(line: str, field: str, word: str) -> None:
    with pytest.raises(CronError) as caught:
        parse(line)
    assert caught.value.field == field
    assert word in str(caught.value)
    assert field in str(caught.value)


def test_a_day_must_fit_both_fields_of_days() -> None:
    friday_the_13th = parse("0 0 13 * fri")
    assert friday_the_13th.names_day(date(2026, 11, 13))
    assert not friday_the_13th.names_day(date(2026, 11, 20))
    assert not friday_the_13th.names_day(date(2026, 10, 13))


def test_29_february_is_a_day_that_comes() -> None:
    assert parse("0 0 29 2 *").names_day(date(2028, 2, 29))


def test_a_zone_is_found_by_its_name_and_nothing_else_is() -> None:
    assert str(zone("")) == "UTC"
    assert str(zone("Europe/Berlin")) == "Europe/Berlin"
    for name in ("Europe/Atlantis", "../etc/passwd", "europe/berlin", "x" * 100, "/usr/share/zoneinfo/UTC"):
        with pytest.raises(ZoneError, match="is not a time zone"):
            zone(name)
