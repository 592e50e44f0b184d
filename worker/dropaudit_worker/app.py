"""The Celery application: its configuration, its tasks, and the step that looks for lost audits.

A task is a shell round one call: an id in, nothing out, safe to repeat. The record in Redis is the truth.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis
from celery import Celery
from redbeat.schedulers import REDBEAT_REDIS_KEY

from dropaudit_store.errors import StoreError
from dropaudit_store.redis.connection import connect
from dropaudit_store.redis.durability import warn_of_gaps
from dropaudit_store.redis.urls import broker_options, broker_tls, broker_url
from dropaudit_store.shared.heartbeat_file import HeartbeatFile
from dropaudit_store.shared.task_names import AUDIT_TASK, CLEAN_TASK, INSPECT_TASK, QUEUE
from dropaudit_worker.making.dependencies import PATIENCE_SECONDS, Dependencies
from dropaudit_worker.pool.children import ChildLimits, alarm
from dropaudit_worker.pool.losses import Losses
from dropaudit_worker.pool.process_life import ProcessLife, busy_audits
from dropaudit_worker.pool.repeated import RepeatedStep
from dropaudit_worker.queue import transport
from dropaudit_worker.queue.beat import KEY_PREFIX, beating_scheduler, forget_old_entries, tick_schedule
from dropaudit_worker.queue.consumption import Consumption, beating
from dropaudit_worker.queue.messages import Messages, WakeUpApp
from dropaudit_worker.queue.reconciler import Reconciler
from dropaudit_worker.runs.parts import RunParts
from dropaudit_worker.runs.tasks import add_run_tasks
from dropaudit_worker.settings import WorkerSettings
from dropaudit_worker.tool import tool

# Redis hands a message to another worker after this long: longer than any audit may take.
_VISIBILITY_MARGIN_SECONDS = 600
# A sandbox is ended at the time limit. A child that is busy for so much longer ends itself, and where even that fails,
# its parent kills it.
_ALARM_MARGIN_SECONDS = PATIENCE_SECONDS + 30
_KILL_MARGIN_SECONDS = PATIENCE_SECONDS + 60
_KEEPS_PER_LEASE = 3
# A message that asks for cleaning is taken for lost after so long.
_CLEAN_WAIT_SECONDS = 3600
# Celery may miss that a child has gone, and looks again only after five seconds (celery/celery#9588).
_REPLACE_SECONDS = 0.2


def make_app(settings: WorkerSettings, limits: ChildLimits | None = None) -> Celery:
    """Return the Celery application of a worker or a beat. `limits` are those of the children, and set there."""
    transport.use()
    consumption, heartbeat = Consumption(), HeartbeatFile(settings.heartbeat_file)
    transport.tell(consumption.note)
    app = WakeUpApp("dropaudit", broker=broker_url(settings.redis_url))
    _configure(app, settings, heartbeat)
    # The beat's own connection knows no Sentinels by such a URL.
    setattr(app, REDBEAT_REDIS_KEY, connect(settings.redis_url))
    messages = Messages(app, lambda audit_id: parts.routes.of(audit_id))
    life = ProcessLife(limits)
    parts = Dependencies(settings, messages.wake, life)
    worker = uuid.uuid4().hex
    _add_audit_task(app, settings, parts, life, worker)
    _add_tasks(app, parts)
    runs = RunParts(settings, app, messages, parts)
    add_run_tasks(app, runs)

    def note() -> None:
        with suppress(StoreError):
            runs.works.note_tool(tool())
            if limits is not None:
                parts.note_worker(worker, limits)

    app.steps["worker"].add(_reconciling(app, settings, parts, runs, messages))
    app.steps["worker"].add(_noted(settings, note, lambda: parts.forget_worker(worker)))
    app.steps["worker"].add(_standing_by(settings, parts, messages, life, worker))
    app.steps["worker"].add(beating(consumption, heartbeat))
    return app


def _configure(app: Celery, settings: WorkerSettings, heartbeat: HeartbeatFile) -> None:
    url = settings.redis_url
    visibility = {"visibility_timeout": settings.time_limit_seconds + _VISIBILITY_MARGIN_SECONDS}
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_serializer="json",
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        # The soft limit is the audit's own: Celery's would raise inside the runtime, which takes any error for its own.
        task_time_limit=settings.time_limit_seconds + _KILL_MARGIN_SECONDS,
        worker_prefetch_multiplier=1,
        # Anyone who reaches Redis could stop workers by remote control, and nothing here uses it.
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # Redis at its limit refuses; a worker that ended for that would not go on once there is room.
        broker_channel_error_retry=True,
        broker_transport_options=broker_options(url, **visibility, socket_connect_timeout=2, socket_timeout=30),
        broker_use_ssl=broker_tls(url),
        result_backend_transport_options=visibility,
        beat_schedule=tick_schedule(),
        beat_scheduler=beating_scheduler(heartbeat),
        redbeat_redis_url=url,
        redbeat_key_prefix=KEY_PREFIX,
        # Read by nobody, since the connection is there; redbeat warns where it is left out.
        redbeat_redis_options={},
        beat_max_loop_interval=5,
        redbeat_lock_timeout=30,
        timezone="UTC",
        **visibility,
    )


def _add_audit_task(app: Celery, settings: WorkerSettings, parts: Dependencies, life: ProcessLife, worker: str) -> None:
    hard_seconds = settings.time_limit_seconds + _ALARM_MARGIN_SECONDS

    @app.task(name=AUDIT_TASK, bind=True)
    def audit(task: Any, audit_id: str) -> None:
        # Each attempt has a name of its own; its parent knows how it begins.
        holder = f"{worker}/{task.request.id}/{uuid.uuid4().hex}"
        with life.busy(), alarm(hard_seconds):
            parts.make(audit_id, holder)


def _add_tasks(app: Celery, parts: Dependencies) -> None:
    @app.task(name=INSPECT_TASK)
    def inspect(sha256: str) -> None:
        parts.inspector.look(sha256)

    @app.task(name=CLEAN_TASK)
    def clean() -> None:
        parts.garbage.asked()
        parts.garbage.collect(parts.blobs)
        parts.blobs.sweep(time.time())


def clean(app: Celery, parts: Dependencies) -> None:
    """Delete what has expired here; content goes in a child, since some file systems bring threads."""
    parts.audits.delete_expired()
    # Behind a long audit it waits as long as that; one message at a time is enough.
    if parts.garbage.is_noted() and parts.garbage.ask(_CLEAN_WAIT_SECONDS):
        app.send_task(CLEAN_TASK, ignore_result=True)


def _reconciling(
    app: Celery,
    settings: WorkerSettings,
    parts: Dependencies,
    runs: RunParts,
    messages: Messages,
) -> type[RepeatedStep]:
    """Return the step that looks for lost audits."""

    class Reconciling(RepeatedStep):
        def __init__(self, parent: Any, **options: Any) -> None:
            super().__init__(parent, **options)
            warn_of_gaps(parts.client)

        def start(self, parent: Any) -> None:
            with suppress(redis.RedisError):
                forget_old_entries(app)
            reconciler = Reconciler(
                parts.client,
                parts.audits,
                messages,
                runs.keeper.look,
                lambda: clean(app, parts),
                seconds=settings.reconcile_seconds,
                announce_seconds=settings.announce_seconds,
                max_attempts=settings.max_attempts,
            )
            self.repeat(parent, settings.reconcile_seconds, reconciler.look)

    return Reconciling


def _noted(settings: WorkerSettings, note: Callable[[], None], forget: Callable[[], None]) -> type[RepeatedStep]:
    """Return the step in which a worker notes itself, at once and again and again, for as long as it runs."""

    class Noted(RepeatedStep):
        def start(self, parent: Any) -> None:
            note()
            self.repeat(parent, settings.reconcile_seconds, note)

        def stop(self, parent: Any) -> None:
            super().stop(parent)
            with suppress(StoreError):
                forget()

    return Noted


def _standing_by(
    settings: WorkerSettings, parts: Dependencies, messages: Messages, life: ProcessLife, worker: str
) -> type[RepeatedStep]:
    """Return the step in which the parent stands by its children and replaces those that are gone, from its timer."""

    class StandingBy(RepeatedStep):
        def __init__(self, parent: Any, **options: Any) -> None:
            super().__init__(parent, **options)
            self.losses = Losses(parts.audits, worker, messages.wake, settings.max_attempts)
            # Before the pool forks its first child.
            life.watch(self.losses, parts.warm_up, parts.sandboxes.close)

        def start(self, parent: Any) -> None:
            def keep() -> None:
                self.losses.keep(busy_audits(), settings.lease_seconds)

            self.repeat(parent, settings.lease_seconds / _KEEPS_PER_LEASE, keep)
            self.repeat(parent, _REPLACE_SECONDS, parent.pool.maintain_pool)

    return StandingBy
