"""The tasks about suites and runs: each a shell round one call, safe to repeat."""

from __future__ import annotations

from celery import Celery

from dropaudit_store.shared.task_names import (
    DELIVER_TASK,
    END_RUN_TASK,
    MAKE_RUN_TASK,
    PREVIEW_TASK,
    RUN_SUITE_TASK,
    SYNC_SUITE_TASK,
    TICK_TASK,
)
from dropaudit_worker.runs.parts import RunParts


def ids_of(name: str) -> tuple[str, str]:
    """Return suite and run of a run's name."""
    suite_id, _, run_id = name.removeprefix("suites/").partition("/runs/")
    return suite_id, run_id


def add_run_tasks(app: Celery, parts: RunParts) -> None:
    """Add the tasks to an application."""
    _add_tasks(app, parts)
    _add_old_tasks(app, parts)


def _add_tasks(app: Celery, parts: RunParts) -> None:
    @app.task(name=TICK_TASK)
    def tick() -> None:
        parts.ticker.tick()

    @app.task(name=MAKE_RUN_TASK)
    def make_run(name: str) -> None:
        parts.maker.make(*ids_of(name))

    @app.task(name=END_RUN_TASK)
    def end_run(name: str) -> None:
        parts.end(*ids_of(name))

    @app.task(name=DELIVER_TASK)
    def deliver() -> None:
        if parts.deliverer.deliver():
            parts.send.deliver()

    @app.task(name=PREVIEW_TASK)
    def preview(asked: str) -> None:
        parts.preview(asked)


def _add_old_tasks(app: Celery, parts: RunParts) -> None:
    """Add what an earlier version's beat and server still send."""

    @app.task(name=RUN_SUITE_TASK)
    def run_suite(suite_id: str) -> None:
        parts.ticker.tick()

    @app.task(name=SYNC_SUITE_TASK)
    def sync_suite(suite_id: str) -> None:
        parts.ticker.tick()
