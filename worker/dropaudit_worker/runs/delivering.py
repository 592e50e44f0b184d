"""Posts notifications that are due, a few at a time; what a receiver says never reaches a run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import structlog

from dropaudit_store.errors import RunNotFound, SuiteNotFound
from dropaudit_store.notifications.deliveries import Delivery, DeliveryState, DeliveryStore, Ended
from dropaudit_store.records import Suite
from dropaudit_store.runs.documents import run_document
from dropaudit_store.runs.reader import RunReader
from dropaudit_worker.notifications import Form, Receiver, Retry, message_for, next_step
from dropaudit_worker.notifications.posting import Attempt, Posts
from dropaudit_worker.notifications.retrying import Again, Done

# A worker makes audits as well.
_MOST_AT_A_TIME = 5

_log = structlog.get_logger(__name__)


class Deliverer:
    """Posts notifications.

    Args:
        suite: returns a suite; raises SuiteNotFound.
        link_prefix: what stands before a run's name in links.
    """

    def __init__(
        self,
        deliveries: DeliveryStore,
        runs: RunReader,
        suite: Callable[[str], Suite],
        post: Posts,
        link_prefix: str = "",
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._deliveries = deliveries
        self._runs = runs
        self._suite = suite
        self._post = post
        self._link_prefix = link_prefix
        self._chance = chance
        self._clock = clock

    def deliver(self) -> bool:
        """Post a few of the notifications that are due; return whether there may be more."""
        for _ in range(_MOST_AT_A_TIME):
            delivery = self._deliveries.take()
            if delivery is None:
                return False
            ended = self._ended(delivery)
            self._deliveries.note(delivery, ended)
            _log.info("a notification was sent", delivery=delivery.name, state=ended.state.value, said=ended.said)
        return True

    def _ended(self, delivery: Delivery) -> Ended:
        try:
            suite, payload = self._suite(delivery.suite), self._payload(delivery)
        except (SuiteNotFound, RunNotFound) as error:
            return Ended(DeliveryState.DEAD, error.message)
        target = next((each for each in suite.targets if each.url == delivery.url), None)
        if target is None:
            return Ended(DeliveryState.DEAD, "its receiver is no longer one of the suite's")
        receiver = Receiver(delivery.url, target.secret, Form(delivery.form.value))
        attempt = self._post(delivery.url, message_for(receiver, payload, delivery.id, self._clock()))
        return self._after(attempt, delivery)

    def _after(self, attempt: Attempt, delivery: Delivery) -> Ended:
        match next_step(attempt, delivery.attempts + 1, self._chance()):
            case Done():
                return Ended(DeliveryState.DELIVERED)
            case Again(seconds=seconds):
                return Ended(DeliveryState.PENDING, attempt.said, seconds)
        tries = f" after {delivery.attempts + 1} attempts" if isinstance(attempt, Retry) else ""
        return Ended(DeliveryState.DEAD, f"{attempt.said}{tries}")

    def _payload(self, delivery: Delivery) -> dict[str, Any]:
        """Return the payload about a run. Raises RunNotFound."""
        suite_id, _, run_id = delivery.run.removeprefix("suites/").partition("/runs/")
        run = self._runs.get(suite_id, run_id)
        (counts,), result = self._runs.counts([run.name]), self._runs.result(run.name)
        if counts is None or result is None:
            raise RunNotFound(run.name)
        return {
            "type": "dropaudit.run",
            "trigger": delivery.on.value,
            "run": run_document(run, counts, result),
            "links": {"run": f"{self._link_prefix}{run.name}"},
        }
