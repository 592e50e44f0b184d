"""Wakes workers: by task name, with an audit's id and nothing else."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import redis
import structlog
from celery import Celery
from kombu.exceptions import KombuError

from dropaudit.plan import Provider
from dropaudit_store.errors import StoreError
from dropaudit_store.records import AuditRecord, Priority
from dropaudit_store.redis.urls import broker_options, broker_tls, broker_url
from dropaudit_store.shared.formats import FORMAT
from dropaudit_store.shared.task_names import (
    AUDIT_TASK,
    DELIVER_TASK,
    END_RUN_TASK,
    FORMAT_HEADER,
    INSPECT_TASK,
    MAKE_RUN_TASK,
    PREVIEW_TASK,
    QUEUE,
    STEPS,
)

_AFTER_ANSWER_SECONDS = 0.003
_MOST_LOGGED = 10
# Calls that are sent in one exchange with Redis: workers hear of the first while the others are written.
_AT_A_TIME = 50

# Seconds after which calls that could not be sent are tried again: workers look for lost ones after half a minute.
_AGAIN = (0.1, 0.5, 2.0)

_NOT_SENT = (KombuError, redis.RedisError, OSError, StoreError)

QueueFor = Callable[[Provider], str]
# Subject, priority, and the device that is asked for.
Call = tuple[str | None, Priority, Provider]

_log = structlog.get_logger(__name__)


class _TakenBack(Exception):
    """Ends a batch of calls so that none of them is sent."""


class WakeUps:
    """Sends wake-up calls in the background, one after the other; calls that somebody waits for have their own queue.

    A lost one does no harm: workers look for audits that nobody was told of.

    Args:
        queue_for: the queue for audits that ask for a provider.
    """

    def __init__(self, redis_url: str, queue_for: QueueFor = lambda _: QUEUE) -> None:
        self._queue_for = queue_for
        self._closing = threading.Event()
        # One may have ten thousand of a batch to send when somebody begins to wait for another.
        self._senders = {each: ThreadPoolExecutor(1, f"wake-ups-{each.value.lower()}") for each in Priority}
        self._celery = Celery("dropaudit", broker=broker_url(redis_url), set_as_current=False)
        self._celery.conf.update(
            task_ignore_result=True,
            task_default_queue=QUEUE,
            broker_connection_retry=False,
            broker_transport_options=broker_options(redis_url, socket_connect_timeout=2, socket_timeout=5),
            broker_use_ssl=broker_tls(redis_url),
        )
        self._senders[Priority.INTERACTIVE].submit(self._warm_up)

    def close(self) -> None:
        """Send the calls that are left; those that cannot be sent are not tried again."""
        self._closing.set()
        for sender in self._senders.values():
            sender.shutdown()

    def audits(self, records: Iterable[AuditRecord]) -> None:
        """Tell a worker of each audit."""
        self._send("accepted", AUDIT_TASK, [_call(record) for record in records])

    def inspection(self, sha256: str, seconds: float) -> None:
        """Tell a worker of a model to inspect; after `seconds` the call expires."""
        self._send("to be inspected", INSPECT_TASK, [(sha256, Priority.INTERACTIVE, Provider.AUTO)], expires=seconds)

    def preview(self, asked: str, seconds: float) -> None:
        """Tell a worker of a suite to preview; after `seconds` the call expires."""
        self._send("to be looked at", PREVIEW_TASK, [(asked, Priority.INTERACTIVE, Provider.AUTO)], expires=seconds)

    def run(self, name: str) -> None:
        """Tell a worker of a run whose members only workers can find."""
        self._send("to be made", MAKE_RUN_TASK, [(name, Priority.INTERACTIVE, Provider.AUTO)])

    def ended_run(self, name: str) -> None:
        """Tell a worker of a run that has ended."""
        self._send("ended", END_RUN_TASK, [(name, Priority.INTERACTIVE, Provider.AUTO)])

    def delivery(self) -> None:
        """Tell a worker that a notification is to be sent."""
        self._send("to be sent", DELIVER_TASK, [(None, Priority.INTERACTIVE, Provider.AUTO)])

    def _warm_up(self) -> None:
        """Load and connect what the first call would wait for, by a call that is taken back before it is sent."""
        with suppress(_TakenBack, *_NOT_SENT), self._celery.producer_or_acquire() as producer:
            if producer.supports_batch_publish:
                with producer.batch():
                    self._send_one(producer, AUDIT_TASK, ("", Priority.INTERACTIVE, Provider.AUTO), None)
                    raise _TakenBack

    def _send(self, event: str, task: str, calls: Sequence[Call], expires: float | None = None) -> None:
        for priority, sender in self._senders.items():
            if chosen := [call for call in calls if call[1] is priority]:
                # With the call's context, which names the request in the log.
                sender.submit(contextvars.copy_context().run, self._send_all, event, task, chosen, expires)

    def _send_all(self, event: str, task: str, calls: Sequence[Call], expires: float | None) -> None:
        # The caller's answer first: both need the interpreter.
        time.sleep(_AFTER_ANSWER_SECONDS)
        _log.info(event, task=task, ids=[call[0] for call in calls[:_MOST_LOGGED]], count=len(calls))
        for start in range(0, len(calls), _AT_A_TIME):
            self._send_some(task, calls[start : start + _AT_A_TIME], expires)

    def _send_some(self, task: str, calls: Sequence[Call], expires: float | None) -> None:
        pauses = iter(_AGAIN)
        while not self._sent(task, calls, expires):
            pause = next(pauses, None)
            if pause is None or self._closing.wait(pause):
                ids = [call[0] for call in calls]
                _log.warning(
                    "wake-up calls were not sent; workers will find the work by themselves", task=task, ids=ids
                )
                return

    def _sent(self, task: str, calls: Sequence[Call], expires: float | None) -> bool:
        """Send calls, all in one exchange. Some may arrive though it fails: a repeated call does no harm."""
        try:
            with self._celery.producer_or_acquire() as producer, producer.batch():
                for call in calls:
                    self._send_one(producer, task, call, expires)
        except _NOT_SENT:
            return False
        return True

    def _send_one(self, producer: Any, task: str, call: Call, expires: float | None) -> None:
        argument, priority, provider = call
        options: dict[str, Any] = {
            "queue": self._queue_for(provider),
            "priority": STEPS[priority],
            "expires": expires,
            "headers": {FORMAT_HEADER: FORMAT},
        }
        arguments = [] if argument is None else [argument]
        self._celery.send_task(task, args=arguments, ignore_result=True, retry=False, producer=producer, **options)


def _call(record: AuditRecord) -> Call:
    return record.id, record.request.priority, record.request.spec.plan.provider
