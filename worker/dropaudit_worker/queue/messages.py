"""Messages to workers: an audit's id, and which worker gets it when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery, Task
from kombu.exceptions import ChannelError

from dropaudit_store.audits.routing import Route
from dropaudit_store.shared.formats import FORMAT
from dropaudit_store.shared.task_names import AUDIT_TASK, FORMAT_HEADER, GPU_QUEUE, QUEUE, STEPS


class WakeUpTask(Task):  # type: ignore[type-arg]  # of no use here
    """A task that is told an id, and takes no notice of what a newer version says by name beside it."""

    abstract = True

    def __call__(self, *args: Any, **_: Any) -> Any:
        return super().__call__(*args)


class WakeUpApp(Celery):
    """An application whose messages say in which format they are."""

    task_cls = f"{__name__}:WakeUpTask"

    def send_task(self, *args: Any, **options: Any) -> Any:
        """Send a message."""
        headers = {FORMAT_HEADER: FORMAT, **(options.pop("headers", None) or {})}
        return super().send_task(*args, headers=headers, **options)


class Messages:
    """Sends and counts messages."""

    def __init__(self, app: Celery, route: Callable[[str], Route]) -> None:
        """`route` says who serves an audit, and when."""
        self._app = app
        self._route = route

    def wake(self, audit_id: str) -> None:
        """Tell a worker of an audit."""
        route = self._route(audit_id)
        self._app.send_task(
            AUDIT_TASK, args=[audit_id], queue=route.queue, priority=STEPS[route.priority], ignore_result=True
        )

    def count(self) -> int:
        """Return how many messages wait for a worker."""
        with self._app.connection_for_read() as connection:
            channel = connection.default_channel
            return sum(_count(channel, queue) for queue in (QUEUE, GPU_QUEUE))


def _count(channel: Any, queue: str) -> int:
    try:
        found: int = channel.queue_declare(queue=queue, passive=True).message_count
    except ChannelError:  # a queue without messages does not exist
        return 0
    return found
