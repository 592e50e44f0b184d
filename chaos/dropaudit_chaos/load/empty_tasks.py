"""Celery's own task that does nothing, with the settings that audits have: what a queue costs by itself."""

from __future__ import annotations

import os

from celery import Celery

from dropaudit_store.redis.urls import broker_url

NAME, QUEUE = "empty", "empty-tasks"


def empty_app(redis_url: str) -> Celery:
    """Return an application with one empty task."""
    made = Celery("empty", broker=broker_url(redis_url), set_as_current=False)
    made.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
    )

    @made.task(name=NAME)
    def empty() -> None:
        pass

    return made


# A worker of Celery's own command reads it here; there is no other composition root.
app = empty_app(os.environ.get("EMPTY_TASKS_REDIS_URL", "redis://127.0.0.1:6379/0"))
