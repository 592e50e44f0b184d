"""Claims about when a suite is due."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dropaudit_worker.queue.schedule import latest_due


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        # 24 November 2026 is a Tuesday.
        ("* * * * *", "2026-11-24T10:17:00", "2026-11-24T10:17"),
        ("* * * * *", "2026-11-24T10:17:59.9", "2026-11-24T10:17"),
        ("*/15 * * * *", "2026-11-24T10:17:05", "2026-11-24T10:15"),
        ("0 3 * * *", "2026-11-24T03:00:01", "2026-11-24T03:00"),
        ("0 3 * * *", "2026-11-24T02:59:59", "2026-11-23T03:00"),
        ("30 23 * * *", "2026-11-24T00:10:00", "2026-11-23T23:30"),
        ("0 9 * * 2", "2026-11-24T09:04:00", "2026-11-24T09:00"),
        ("0 9 * * tue", "2026-11-24T09:04:00", "2026-11-24T09:00"),
        ("0 0 1 * *", "2026-12-01T00:00:30", "2026-12-01T00:00"),
        ("0 0 1 1 *", "2027-01-01T00:59:00", "2027-01-01T00:00"),
        ("0 9 * * 0", "2026-11-22T09:00:10", "2026-11-22T09:00"),
    ],
)
def test_the_latest_instant_that_the_line_names_is_due(cron: str, now: str, due: str) -> None:
    assert latest_due(cron, at(now)) == at(due)


def test_late_and_repeated_firings_of_one_instant_agree() -> None:
    firings = [latest_due("0 3 * * *", at(f"2026-11-24T03:{minute:02}:17")) for minute in range(0, 60, 7)]
    assert set(firings) == {at("2026-11-24T03:00")}


def test_where_nothing_was_due_within_a_day_it_is_the_minute_of_the_firing() -> None:
    assert latest_due("0 3 1 * *", at("2026-11-24T10:17:30")) == at("2026-11-24T10:17")
