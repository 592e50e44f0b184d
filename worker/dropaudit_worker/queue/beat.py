"""The beat: it only ticks. At every tick a worker finds out which suites are due, so no change needs a restart."""

from __future__ import annotations

from typing import Any

from celery import Celery
from redbeat import RedBeatScheduler, RedBeatSchedulerEntry
from redbeat.schedulers import RedBeatConfig, get_redis

from dropaudit_store.shared.heartbeat_file import HeartbeatFile
from dropaudit_store.shared.task_names import TICK_TASK

KEY_PREFIX = "dropaudit:beat:"
TICK_SECONDS = 5.0
# An earlier version kept an entry for each suite.
_OLD = "suite-"


def tick_schedule(seconds: float = TICK_SECONDS) -> dict[str, dict[str, object]]:
    """Return the beat's schedule: a message every few seconds, which expires before the next."""
    return {"tick": {"task": TICK_TASK, "schedule": seconds, "options": {"ignore_result": True, "expires": seconds}}}


def beating_scheduler(file: HeartbeatFile) -> type[RedBeatScheduler]:
    """Return redbeat's scheduler, which touches a file whenever it has ticked. Without the lock it does not tick."""

    class BeatingScheduler(RedBeatScheduler):  # type: ignore[misc]  # redbeat has no types
        def tick(self, *arguments: Any, **options: Any) -> float:
            seconds: float = super().tick(*arguments, **options)
            file.beat()
            return seconds

    return BeatingScheduler


def forget_old_entries(app: Celery) -> None:
    """Remove the entries of single suites that an earlier version made."""
    entries = get_redis(app).zrange(RedBeatConfig(app).schedule_key, 0, -1)
    for entry in map(str, entries):
        if entry.removeprefix(KEY_PREFIX).startswith(_OLD):
            _forget(app, entry)


def _forget(app: Celery, entry: str) -> None:
    try:
        RedBeatSchedulerEntry.from_key(entry, app=app).delete()
    except KeyError:
        return
