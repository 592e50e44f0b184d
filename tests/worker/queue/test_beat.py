"""Claims about the beat's entries, as celery-redbeat keeps them in a real Redis."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import redis
from celery import Celery
from redbeat import RedBeatSchedulerEntry

from dropaudit.plan import Plan
from dropaudit_store.records import Glob, Suite
from dropaudit_worker.queue.beat import KEY_PREFIX, forget_schedule, sync_every_schedule, sync_schedules

NIGHTLY = Suite(id="nightly", members=(Glob(pattern="*"),), plan=Plan(), cron="0 3 * * *", create_time=1, update_time=1)


def entry(app: Celery, name: str = "suite-nightly") -> RedBeatSchedulerEntry:
    return RedBeatSchedulerEntry.from_key(f"{KEY_PREFIX}{name}", app=app)


def scheduled(client: redis.Redis) -> list[str]:
    return [str(key) for key in client.zrange(f"{KEY_PREFIX}:schedule", 0, -1)]


def test_a_scheduled_suite_is_an_entry_that_runs_it(app: Celery, redis_client: redis.Redis) -> None:
    sync_schedules(app, [NIGHTLY])
    assert scheduled(redis_client) == ["dropaudit:beat:suite-nightly"]
    found = entry(app)
    assert (found.task, found.args) == ("dropaudit.run_suite", ["nightly"])
    assert (found.schedule.hour, found.schedule.minute) == ({3}, {0})


def test_a_suite_without_a_schedule_is_no_entry(app: Celery, redis_client: redis.Redis) -> None:
    sync_schedules(app, [msgspec.structs.replace(NIGHTLY, cron="")])
    assert scheduled(redis_client) == []


def test_a_changed_schedule_replaces_the_entry(app: Celery, redis_client: redis.Redis) -> None:
    sync_schedules(app, [NIGHTLY])
    sync_schedules(app, [msgspec.structs.replace(NIGHTLY, cron="30 4 * * *")])
    assert (entry(app).schedule.hour, entry(app).schedule.minute) == ({4}, {30})
    assert len(scheduled(redis_client)) == 1


def test_a_paused_suite_is_taken_off_and_comes_back(app: Celery, redis_client: redis.Redis) -> None:
    for paused, expected in ((False, 1), (True, 0), (True, 0), (False, 1)):
        sync_schedules(app, [msgspec.structs.replace(NIGHTLY, paused=paused)])
        assert len(scheduled(redis_client)) == expected


def test_an_unchanged_entry_stays_due_as_it_was(app: Celery, redis_client: redis.Redis) -> None:
    sync_schedules(app, [NIGHTLY])
    last = datetime(2020, 1, 1, tzinfo=UTC)
    entry(app).reschedule(last_run_at=last)
    due = redis_client.zscore(f"{KEY_PREFIX}:schedule", f"{KEY_PREFIX}suite-nightly")
    sync_schedules(app, [NIGHTLY])
    assert entry(app).last_run_at == last
    assert redis_client.zscore(f"{KEY_PREFIX}:schedule", f"{KEY_PREFIX}suite-nightly") == due


def test_the_entry_of_a_deleted_suite_is_removed(app: Celery, redis_client: redis.Redis) -> None:
    sync_schedules(app, [NIGHTLY])
    for _ in range(2):
        forget_schedule(app, "nightly")
        assert scheduled(redis_client) == []


def test_entries_of_suites_that_are_no_more_are_removed(app: Celery, redis_client: redis.Redis) -> None:
    sync_schedules(app, [NIGHTLY, msgspec.structs.replace(NIGHTLY, id="weekly")])
    sync_every_schedule(app, [NIGHTLY])
    assert scheduled(redis_client) == ["dropaudit:beat:suite-nightly"]
