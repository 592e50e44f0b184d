"""The Celery application: its configuration, its tasks, and the step that looks for lost audits.

A task is a shell round one call: an id in, nothing out, safe to repeat. The record in Redis is the truth.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import redis
from celery import Celery, bootsteps

from dropaudit.plan import IsCancelled, OnProgress, Plan
from dropaudit.report import Report
from dropaudit.subjects import Subject
from dropaudit_store.audits import AuditStore
from dropaudit_store.blobs import BlobStore
from dropaudit_store.connection import connect
from dropaudit_store.models import ModelStore
from dropaudit_store.suites import SuiteStore
from dropaudit_store.tasks import AUDIT_TASK, QUEUE, RUN_SUITE_TASK, SYNC_SUITE_TASK
from dropaudit_worker.beat import KEY_PREFIX, sync_schedules
from dropaudit_worker.limits import limited
from dropaudit_worker.maker import AuditMaker
from dropaudit_worker.reconciler import Reconciler
from dropaudit_worker.schedule import latest_due
from dropaudit_worker.settings import WorkerSettings

# Redis hands a message to another worker after this long: longer than any audit may take.
_VISIBILITY_MARGIN_SECONDS = 600
_KILL_MARGIN_SECONDS = 60


class Parts:
    """What the tasks use. Connections are made when first used, so that no two processes share one."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings

    @cached_property
    def client(self) -> redis.Redis:
        """Connection to Redis."""
        return connect(self._settings.redis_url)

    @cached_property
    def audits(self) -> AuditStore:
        """Audits."""
        return AuditStore(self.client)

    @cached_property
    def suites(self) -> SuiteStore:
        """Suites."""
        return SuiteStore(self.client, self.audits, ModelStore(self.client))

    @cached_property
    def maker(self) -> AuditMaker:
        """Makes audits. The runtime is loaded here, in the child: after a fork its masks and CUDA would be shared."""
        from dropaudit import audit
        from dropaudit_worker.subjects import load_subject

        def make(subject: Subject, plan: Plan, progress: OnProgress, cancelled: IsCancelled) -> Report:
            return audit(subject, plan, progress=progress, cancelled=cancelled)

        blobs = BlobStore(self._settings.blob_url)
        return AuditMaker(
            self.audits,
            lambda ref: load_subject(ref, blobs),
            limited(make, self._settings.time_limit_seconds),
            self._settings.lease_seconds,
        )


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
    app.steps["worker"].add(_reconciling(app, settings))
    return app


def _add_tasks(app: Celery, parts: Parts) -> None:
    @app.task(name=AUDIT_TASK)
    def audit(audit_id: str) -> None:
        parts.maker.make(audit_id)

    @app.task(name=SYNC_SUITE_TASK)
    def sync_suite(suite_id: str) -> None:
        sync_schedules(app, [parts.suites.get(suite_id)])

    @app.task(name=RUN_SUITE_TASK)
    def run_suite(suite_id: str) -> None:
        suite = parts.suites.get(suite_id)
        run = parts.suites.run_due(suite_id, latest_due(suite.cron, parts.suites.now()))
        for audit_id in run.audits:
            wake(app, audit_id)


def wake(app: Celery, audit_id: str) -> None:
    """Tell a worker of an audit."""
    app.send_task(AUDIT_TASK, args=[audit_id], ignore_result=True)


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
                lambda audit_id: wake(app, audit_id),
                lambda suites: sync_schedules(app, suites),
                seconds=settings.reconcile_seconds,
                announce_seconds=settings.announce_seconds,
                max_attempts=settings.max_attempts,
            )
            self.timer = parent.timer.call_repeatedly(settings.reconcile_seconds, reconciler.look, priority=10)

        def stop(self, parent: Any) -> None:
            if self.timer is not None:
                self.timer.cancel()

    return Reconciling
