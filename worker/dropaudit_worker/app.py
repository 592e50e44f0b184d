"""The Celery application: its configuration, its tasks, and the step that looks for lost audits.

A task is a shell round one call: an id in, nothing out, safe to repeat. The record in Redis is the truth.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery import Celery, bootsteps

from dropaudit_store.errors import SuiteNotFound
from dropaudit_store.records import Priority
from dropaudit_store.tasks import AUDIT_TASK, CLEAN_TASK, INSPECT_TASK, QUEUE, RUN_SUITE_TASK, STEPS, SYNC_SUITE_TASK
from dropaudit_worker.beat import KEY_PREFIX, forget_schedule, sync_every_schedule, sync_schedules
from dropaudit_worker.parts import Parts
from dropaudit_worker.reconciler import Reconciler
from dropaudit_worker.schedule import latest_due
from dropaudit_worker.settings import WorkerSettings

# Redis hands a message to another worker after this long: longer than any audit may take.
_VISIBILITY_MARGIN_SECONDS = 600
_KILL_MARGIN_SECONDS = 60

_log = structlog.get_logger(__name__)


def make_app(settings: WorkerSettings) -> Celery:
    """Return the Celery application of a worker or a beat."""
    app = Celery("dropaudit", broker=settings.redis_url)
    visibility = {"visibility_timeout": settings.time_limit_seconds + _VISIBILITY_MARGIN_SECONDS}
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        # An audit ends itself at its limit; what does not come to a chunk's end is killed.
        task_time_limit=settings.time_limit_seconds + _KILL_MARGIN_SECONDS,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options=visibility,
        result_backend_transport_options=visibility,
        beat_scheduler="redbeat.RedBeatScheduler",
        redbeat_redis_url=settings.redis_url,
        redbeat_key_prefix=KEY_PREFIX,
        redbeat_redis_options={"socket_connect_timeout": 2, "socket_timeout": 5},
        beat_max_loop_interval=5,
        redbeat_lock_timeout=30,
        timezone="UTC",
        **visibility,
    )
    parts = Parts(settings)
    _add_tasks(app, parts)
    _add_suite_tasks(app, parts)
    app.steps["worker"].add(_reconciling(app, settings))
    return app


def _add_tasks(app: Celery, parts: Parts) -> None:
    @app.task(name=AUDIT_TASK)
    def audit(audit_id: str) -> None:
        parts.maker.make(audit_id)

    @app.task(name=INSPECT_TASK)
    def inspect(sha256: str) -> None:
        parts.inspector.look(sha256)

    @app.task(name=CLEAN_TASK)
    def clean() -> None:
        parts.garbage.collect(parts.blobs)


def _add_suite_tasks(app: Celery, parts: Parts) -> None:
    @app.task(name=SYNC_SUITE_TASK)
    def sync_suite(suite_id: str) -> None:
        try:
            sync_schedules(app, [parts.suites.get(suite_id)])
        except SuiteNotFound:
            forget_schedule(app, suite_id)

    @app.task(name=RUN_SUITE_TASK)
    def run_suite(suite_id: str) -> None:
        try:
            suite = parts.suites.get(suite_id)
        except SuiteNotFound:
            _log.info("nothing to run: the suite was deleted", suite=suite_id)
            return
        run = parts.suites.run_due(suite_id, latest_due(suite.cron, parts.suites.now()))
        for audit_id in run.audits:
            wake(app, audit_id, parts.audits.priority(audit_id))


def wake(app: Celery, audit_id: str, priority: Priority) -> None:
    """Tell a worker of an audit."""
    app.send_task(AUDIT_TASK, args=[audit_id], priority=STEPS[priority], ignore_result=True)


def clean(app: Celery, parts: Parts, seconds: float) -> None:
    """Delete what has expired here; content goes in a child, since some file systems bring threads."""
    parts.audits.delete_expired()
    if parts.garbage.is_noted():
        app.send_task(CLEAN_TASK, expires=seconds, ignore_result=True)


def _reconciling(app: Celery, settings: WorkerSettings) -> type[bootsteps.StartStopStep]:
    """Return the step that looks for lost audits from the worker's own timer: no thread is there to be forked."""

    class Reconciling(bootsteps.StartStopStep):
        requires = ("celery.worker.components:Timer", "celery.worker.components:Pool")

        def __init__(self, parent: Any, **options: Any) -> None:
            super().__init__(parent, **options)
            self.timer: Any = None

        def start(self, parent: Any) -> None:
            parts = Parts(settings)
            reconciler = Reconciler(
                parts.client,
                parts.audits,
                parts.suites,
                lambda audit_id: wake(app, audit_id, parts.audits.priority(audit_id)),
                lambda suites: sync_every_schedule(app, suites),
                lambda: clean(app, parts, settings.reconcile_seconds),
                seconds=settings.reconcile_seconds,
                announce_seconds=settings.announce_seconds,
                max_attempts=settings.max_attempts,
            )
            self.timer = parent.timer.call_repeatedly(settings.reconcile_seconds, reconciler.look, priority=10)

        def stop(self, parent: Any) -> None:
            if self.timer is not None:
                self.timer.cancel()

    return Reconciling
