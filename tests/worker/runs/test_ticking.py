"""Claims about which runs a tick begins."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import redis

from dropaudit.plan import Plan
from dropaudit_store.records import Glob, Overlap, RunPhase, Suite
from dropaudit_store.runs.store import RunStore
from dropaudit_store.suites import SuiteStore
from dropaudit_worker.runs.ticking import Ticker
from support.clock import Clock


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Beat:
    """A ticker, and what it begins."""

    def __init__(self, client: redis.Redis, clock: Clock) -> None:
        self.clock = clock
        self.begun: list[str] = []
        self.suites, self.runs = SuiteStore(client, clock), RunStore(client, clock)
        self.ticker = Ticker(client, self.suites, self.runs, self.begun.append, clock)

    def suite(self, cron: str, **fields: Any) -> Suite:
        now = self.clock.now
        made = Suite(
            id="s", members=(Glob(pattern="*"),), plan=Plan(), cron=cron, create_time=now, update_time=now, **fields
        )
        return self.suites.create(made)

    def tick(self, when: str) -> list[str]:
        """Tick at an instant, and return the runs that begin."""
        self.clock.now = at(when)
        before = len(self.begun)
        self.ticker.tick()
        return [name.rpartition("/")[2] for name in self.begun[before:]]

    def phases(self) -> list[tuple[str, str]]:
        """Return the runs there are, oldest first, each with its phase."""
        return sorted((run.id, run.phase.value) for run in self.runs.read.page("s", 1000)[0])


@pytest.fixture
def beat(redis_client: redis.Redis, clock: Clock) -> Beat:
    clock.now = at("2026-11-24T10:00:30")
    return Beat(redis_client, clock)


def test_a_due_time_has_one_run_however_often_it_ticks(beat: Beat) -> None:
    beat.suite("*/5 * * * *")
    assert beat.tick("2026-11-24T10:04:59") == []
    assert beat.tick("2026-11-24T10:05:00") == ["20261124t1005z"]
    assert beat.tick("2026-11-24T10:05:00") == []
    assert beat.tick("2026-11-24T10:09:59") == []


def test_what_was_due_before_a_suite_was_made_is_not_made_up_for(beat: Beat) -> None:
    beat.suite("0 10 * * *")
    assert beat.tick("2026-11-24T10:01:00") == []


def test_a_late_tick_within_the_grace_time_runs_each_due_time_once(beat: Beat) -> None:
    beat.suite("* * * * *", overlap=Overlap.CANCEL_OLD)
    assert beat.tick("2026-11-24T10:04:10") == [f"20261124t100{minute}z" for minute in range(1, 5)]


def test_what_is_older_than_the_grace_time_is_skipped_and_recorded(beat: Beat) -> None:
    beat.suite("*/5 * * * *", grace_seconds=300.0)
    assert beat.tick("2026-11-24T10:22:00") == ["20261124t1020z"]
    skipped = [(name, phase) for name, phase in beat.phases() if phase == "SKIPPED"]
    assert [name for name, _ in skipped] == ["20261124t1005z", "20261124t1010z", "20261124t1015z"]
    reason = beat.runs.read.get("s", "20261124t1005z").reason
    assert reason == "nobody looked within the grace time of 300 s after it was due"


def test_of_very_many_that_were_missed_the_last_are_recorded(beat: Beat) -> None:
    beat.suite("* * * * *")
    beat.tick("2026-11-25T10:00:30")
    skipped = [name for name, phase in beat.phases() if phase == "SKIPPED" and name < "20261125t0951z"]
    assert len(skipped) == 20
    assert "1410 due times before" in beat.runs.read.get("s", skipped[0]).reason


def test_a_time_zone_moves_the_due_time_and_daylight_saving_too(beat: Beat) -> None:
    beat.clock.now = at("2026-03-28T00:00:00")
    beat.suite("30 2 * * *", time_zone="Europe/Berlin", overlap=Overlap.CANCEL_OLD)
    instants = [
        f"2026-03-{day}T{hour:02}:{half}:01" for day in (28, 29, 30) for hour in range(24) for half in ("00", "30")
    ]
    assert [name for instant in instants for name in beat.tick(instant)] == [
        "20260328t0130z",
        "20260329t0100z",
        "20260330t0030z",
    ]


def test_a_changed_schedule_takes_effect_at_the_next_tick_and_from_then_on(beat: Beat) -> None:
    suite = beat.suite("0 3 * * *")
    assert beat.tick("2026-11-24T10:30:00") == []
    changed = msgspec.structs.replace(suite, cron="*/10 * * * *", scheduled_since=at("2026-11-24T10:35:00"))
    beat.suites.replace(suite, changed)
    assert beat.tick("2026-11-24T10:41:00") == ["20261124t1040z"]


def test_a_paused_suite_rests_and_what_passes_meanwhile_is_not_made_up_for(beat: Beat) -> None:
    suite = beat.suite("* * * * *", overlap=Overlap.CANCEL_OLD)
    paused = beat.suites.replace(suite, msgspec.structs.replace(suite, paused=True))
    assert beat.tick("2026-11-24T10:05:00") == []
    resumed = msgspec.structs.replace(paused, paused=False, scheduled_since=at("2026-11-24T10:06:30"))
    beat.suites.replace(paused, resumed)
    assert beat.tick("2026-11-24T10:08:00") == ["20261124t1007z", "20261124t1008z"]


def test_ticks_at_the_same_time_begin_each_due_time_once(beat: Beat) -> None:
    beat.suite("* * * * *", overlap=Overlap.CANCEL_OLD)
    beat.clock.now = at("2026-11-24T10:08:00")
    threads = [threading.Thread(target=beat.ticker.tick) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name for name, _ in beat.phases()] == [f"20261124t100{minute}z" for minute in range(1, 9)]


def test_a_tick_that_comes_late_takes_nothing_back(beat: Beat) -> None:
    beat.suite("* * * * *", overlap=Overlap.CANCEL_OLD)
    beat.tick("2026-11-24T10:05:00")
    assert beat.tick("2026-11-24T10:03:00") == []
    assert beat.tick("2026-11-24T10:06:00") == ["20261124t1006z"]


def test_what_overlaps_is_skipped_and_recorded(beat: Beat) -> None:
    beat.suite("* * * * *")
    beat.tick("2026-11-24T10:01:00")
    assert beat.tick("2026-11-24T10:02:00") == []
    assert beat.phases() == [("20261124t1001z", "RESOLVING"), ("20261124t1002z", "SKIPPED")]


def test_a_schedule_that_nobody_can_read_keeps_no_other_suite_waiting(beat: Beat) -> None:
    beat.suite("* * * * *")
    broken = msgspec.structs.replace(beat.suites.get("s"), id="broken", cron="@daily")
    unknown = msgspec.structs.replace(broken, id="elsewhere", cron="* * * * *", time_zone="Europe/Atlantis")
    for each in (broken, unknown):
        beat.suites.create(each)
    assert beat.tick("2026-11-24T10:01:00") == ["20261124t1001z"]
    assert beat.runs.read.get("s", "20261124t1001z").phase is RunPhase.RESOLVING
