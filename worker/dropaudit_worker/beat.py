"""Schedules of suites as celery-redbeat keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from celery import Celery
from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry

from dropaudit_store.records import Suite
from dropaudit_store.tasks import RUN_SUITE_TASK

KEY_PREFIX = "dropaudit:beat:"
_NAME = "suite-{}"


def sync_schedules(app: Celery, suites: Iterable[Suite]) -> None:
    """Make the beat's entries those of the suites: created, changed where the cron line changed, removed if paused."""
    for suite in suites:
        if suite.cron and not suite.paused:
            _keep(app, suite)
        else:
            _remove(app, suite)


def _keep(app: Celery, suite: Suite) -> None:
    wanted = crontab.from_string(suite.cron)
    known = _known(app, suite)
    if known is not None and known.schedule == wanted:
        return
    RedBeatSchedulerEntry(
        _NAME.format(suite.id), RUN_SUITE_TASK, wanted, args=[suite.id], options={"ignore_result": True}, app=app
    ).save()


def _remove(app: Celery, suite: Suite) -> None:
    known = _known(app, suite)
    if known is not None:
        known.delete()


def _known(app: Celery, suite: Suite) -> RedBeatSchedulerEntry | None:
    try:
        return RedBeatSchedulerEntry.from_key(f"{KEY_PREFIX}{_NAME.format(suite.id)}", app=app)
    except KeyError:
        return None
