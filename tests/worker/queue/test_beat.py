"""Claims about the beat's entry, as celery-redbeat keeps it in a real Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
from celery import Celery
from celery.schedules import crontab
from redbeat import RedBeatScheduler, RedBeatSchedulerEntry

from dropaudit_store.shared.heartbeat_file import HeartbeatFile
from dropaudit_worker.queue.beat import KEY_PREFIX, beating_scheduler, forget_old_entries


def scheduled(client: redis.Redis) -> list[str]:
    """Return the entries, without Celery's own."""
    entries = [str(key) for key in client.zrange(f"{KEY_PREFIX}:schedule", 0, -1)]
    return [each for each in entries if not each.startswith(f"{KEY_PREFIX}celery.")]


def test_the_beat_ticks_whatever_suites_there_are(app: Celery, redis_client: redis.Redis) -> None:
    RedBeatScheduler(app, lazy=False)
    assert scheduled(redis_client) == ["dropaudit:beat:tick"]
    entry = RedBeatSchedulerEntry.from_key("dropaudit:beat:tick", app=app)
    assert (entry.task, entry.schedule.run_every.total_seconds()) == ("dropaudit.tick", 5.0)


def test_entries_of_an_earlier_version_are_forgotten_and_no_other(app: Celery, redis_client: redis.Redis) -> None:
    RedBeatScheduler(app, lazy=False)
    for name in ("suite-nightly", "suite-weekly", "others"):
        RedBeatSchedulerEntry(name, "dropaudit.run_suite", crontab(minute="0"), args=["x"], app=app).save()
    for _ in range(2):
        forget_old_entries(app)
        assert sorted(scheduled(redis_client)) == ["dropaudit:beat:others", "dropaudit:beat:tick"]


def test_a_beat_that_ticks_touches_its_file(app: Celery, tmp_path: Path) -> None:
    app.conf.redbeat_lock_key = None
    scheduler = beating_scheduler(HeartbeatFile(str(tmp_path / "alive")))(app, lazy=False)
    assert not (tmp_path / "alive").exists()
    assert 0 <= scheduler.tick() <= 5
    assert (tmp_path / "alive").exists()


def test_a_beat_that_has_not_the_lock_touches_nothing(app: Celery, tmp_path: Path) -> None:
    scheduler = beating_scheduler(HeartbeatFile(str(tmp_path / "alive")))(app, lazy=False)
    with pytest.raises(AttributeError):
        scheduler.tick()
    assert not (tmp_path / "alive").exists()
