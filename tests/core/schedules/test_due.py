"""Claims about when a cron line is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dropaudit.schedules import due_between, next_due, parse, zone


def due(line: str, name: str, after: str, until: str) -> list[str]:
    cron, there = parse(line), zone(name)
    found = due_between(cron, there, datetime.fromisoformat(after), datetime.fromisoformat(until))
    return [f"{each:%m-%dT%H:%M}" for each in found]


def test_an_instant_belongs_to_the_span_that_it_ends() -> None:
    assert due("0 * * * *", "", "2026-01-01T00:00Z", "2026-01-01T02:00Z") == ["01-01T01:00", "01-01T02:00"]
    assert due("0 * * * *", "", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00Z") == ["01-01T01:00"]
    assert due("0 * * * *", "", "2026-01-01T01:00:00Z", "2026-01-01T01:59:59Z") == []


def test_a_time_of_day_is_that_of_the_zone() -> None:
    assert due("30 3 * * *", "Europe/Berlin", "2026-01-01T00:00Z", "2026-01-02T00:00Z") == ["01-01T02:30"]
    assert due("30 3 * * *", "Europe/Berlin", "2026-07-01T00:00Z", "2026-07-02T00:00Z") == ["07-01T01:30"]
    assert due("15 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00Z", "2026-01-02T00:00Z") == ["01-01T18:30"]


# In Berlin clocks go from 02:00 to 03:00 at 2026-03-29T01:00Z, and from 03:00 back to 02:00 at 2026-10-25T01:00Z.


def test_a_time_that_the_spring_leaves_out_is_due_once_when_the_gap_ends() -> None:
    spring = ("Europe/Berlin", "2026-03-28T12:00Z", "2026-03-30T12:00Z")
    assert due("30 2 * * *", *spring) == ["03-29T01:00", "03-30T00:30"]
    assert due("*/10 2 * * *", *spring)[0] == "03-29T01:00"
    assert len([each for each in due("*/10 2 * * *", *spring) if each.startswith("03-29")]) == 1
    # It is due when the gap ends already: not a second time.
    assert due("0 2,3 * * *", *spring) == ["03-29T01:00", "03-30T00:00", "03-30T01:00"]


def test_a_time_that_the_autumn_repeats_is_due_the_first_time() -> None:
    autumn = ("Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25T12:00Z")
    assert due("30 2 * * *", *autumn) == ["10-25T00:30"]
    assert due("30 1-3 * * *", *autumn) == ["10-24T23:30", "10-25T00:30", "10-25T02:30"]


def test_a_line_of_every_hour_goes_by_the_hour_whatever_the_clocks_do() -> None:
    assert len(due("30 * * * *", "Europe/Berlin", "2026-03-28T23:00Z", "2026-03-29T22:00Z")) == 23
    assert len(due("30 * * * *", "Europe/Berlin", "2026-10-24T22:00Z", "2026-10-25T23:00Z")) == 25
    assert len(due("* * * * *", "Europe/Berlin", "2026-10-25T00:00Z", "2026-10-25T02:00Z")) == 120


def test_clocks_that_are_put_on_at_midnight_lose_no_day() -> None:
    # In Beirut clocks went from 00:00 to 01:00 at 2022-03-26T22:00Z.
    assert due("0 0 * * *", "Asia/Beirut", "2022-03-26T00:00Z", "2022-03-28T00:00Z") == ["03-26T22:00", "03-27T21:00"]
    # And only on that day of the month, though the wall never shows its first hour.
    assert due("15 0 27 3 *", "Asia/Beirut", "2022-03-26T00:00Z", "2022-03-29T00:00Z") == ["03-26T22:00"]


def test_half_an_hour_of_daylight_saving_is_a_gap_too() -> None:
    # On Lord Howe clocks go from 02:00 to 02:30 at 2026-10-03T15:30Z.
    lord_howe = ("Australia/Lord_Howe", "2026-10-03T12:00Z", "2026-10-03T18:00Z")
    assert due("10,40 2 * * *", *lord_howe) == ["10-03T15:30", "10-03T15:40"]


def test_a_day_that_a_zone_left_out_is_made_up_for() -> None:
    # Samoa went from the end of 29 December 2011 to the begin of the 31st.
    assert due("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00Z", "2011-12-31T23:00Z") == ["12-30T10:00"]


def test_the_next_time_may_be_years_away_or_never() -> None:
    def after(line: str, when: str, name: str = "") -> str:
        return str(next_due(parse(line), zone(name), datetime.fromisoformat(when)))

    assert after("0 0 29 2 *", "2026-01-01T00:00Z") == "2028-02-29 00:00:00+00:00"
    assert after("0 0 29 2 sun", "2026-01-01T00:00Z") == "2032-02-29 00:00:00+00:00"
    assert after("0 3 * * *", "2026-03-01T02:59:59Z") == "2026-03-01 03:00:00+00:00"
    assert after("0 3 * * *", "2026-03-01T03:00:00Z") == "2026-03-02 03:00:00+00:00"
    assert after("0 0 1 1 *", "2026-12-31T23:30Z", "Pacific/Kiritimati") == "2027-12-31 10:00:00+00:00"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["30 2 * * *", "*/7 * * * *", "0 */5 * * mon,fri", "15 1-3 28-31 3,10 *", "59 23 * * *"]),
    st.sampled_from(["", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.integers(1, 3000),
    st.integers(1, 3000),
)
def test_what_is_due_in_two_spans_is_due_in_the_whole(
    line: str, name: str, start: datetime, first: int, second: int
) -> None:
    cron, there = parse(line), zone(name)
    middle = start + timedelta(minutes=first, seconds=17)
    end = middle + timedelta(minutes=second)
    whole = list(due_between(cron, there, start, end))
    parts = [*due_between(cron, there, start, middle), *due_between(cron, there, middle, end)]
    assert parts == whole
    assert whole == sorted(set(whole))
    if whole:
        assert next_due(cron, there, start) == whole[0]


@pytest.mark.parametrize("line", ["0 3 * * *", "* * * * *"])
def test_a_minute_is_never_skipped_by_walking_days(line: str) -> None:
    cron, start = parse(line), datetime(2026, 1, 1, tzinfo=UTC)
    found = list(due_between(cron, zone(""), start, start + timedelta(days=3)))
    assert len(found) == {"0 3 * * *": 3, "* * * * *": 3 * 1440}[line]
