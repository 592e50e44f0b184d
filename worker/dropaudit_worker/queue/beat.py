"""Schedules of suites as celery-redbeat keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from celery import Celery
from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import RedBeatConfig, get_redis

from dropaudit_store.records import Suite
from dropaudit_store.shared.task_names import RUN_SUITE_TASK

KEY_PREFIX = "dropaudit:beat:"
_NAME = "suite-{}"


def sync_every_schedule(app: Celery, suites: Iterable[Suite]) -> None:
    """Make the beat's entries those of these suites and of no other."""
    kept = list(suites)
    sync_schedules(app, kept)
    names = {_NAME.format(suite.id) for suite in kept}
    entries = get_redis(app).zrange(RedBeatConfig(app).schedule_key, 0, -1)
    for entry in (str(each).removeprefix(KEY_PREFIX) for each in entries):
        if entry.startswith(_NAME.format("")) and entry not in names:
            forget_schedule(app, entry.removeprefix(_NAME.format("")))


def forget_schedule(app: Celery, suite_id: str) -> None:
    """Remove the beat's entry of a suite, if there is one."""
    known = _known(app, suite_id)
    if known is not None:
        known.delete()


def sync_schedules(app: Celery, suites: Iterable[Suite]) -> None:
    """Make the beat's entries those of the suites: created, changed where the cron line changed, removed if paused."""
    for suite in suites:
        if suite.cron and not suite.paused:
            _keep(app, suite)
        else:
            forget_schedule(app, suite.id)


def _keep(app: Celery, suite: Suite) -> None:
    wanted = crontab.from_string(suite.cron)
    known = _known(app, suite.id)
    if known is not None and known.schedule == wanted:
        return
    RedBeatSchedulerEntry(
        _NAME.format(suite.id), RUN_SUITE_TASK, wanted, args=[suite.id], options={"ignore_result": True}, app=app
    ).save()


def _known(app: Celery, suite_id: str) -> RedBeatSchedulerEntry | None:
    try:
        return RedBeatSchedulerEntry.from_key(f"{KEY_PREFIX}{_NAME.format(suite_id)}", app=app)
    except KeyError:
        return None
