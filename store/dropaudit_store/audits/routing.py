"""Which queue an audit waits in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import msgspec
import redis

from dropaudit.plan import Provider
from dropaudit_store.errors import redis_errors
from dropaudit_store.records import AuditRequest, Priority
from dropaudit_store.redis.connection import key
from dropaudit_store.shared.formats import FIRST, MAJOR, major_of
from dropaudit_store.shared.task_names import GPU_QUEUE, QUEUE

# Longer than a worker takes to start again.
_GPU_SECONDS = 600
_GPUS = key("gpu-workers")


@dataclass(frozen=True, slots=True)
class Route:
    """Where an audit waits, and who is served before whom there."""

    queue: str
    priority: Priority


class Routes:
    """Chooses queues. What needs a GPU waits for a worker that has one; anything else for whoever is free first.

    Where no worker with a GPU is known, any worker may say that there is none.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def note_gpu(self) -> None:
        """Note that a worker with a GPU runs."""
        with redis_errors():
            self._redis.set(_GPUS, "serve", ex=_GPU_SECONDS)

    def queue_for(self, provider: Provider) -> str:
        """Return the queue for audits that ask for a provider."""
        with redis_errors():
            return GPU_QUEUE if provider is Provider.CUDA and self._redis.exists(_GPUS) else QUEUE

    def of(self, audit_id: str) -> Route:
        """Return an audit's route; of one that is gone, or of a newer version, it does not matter."""
        with redis_errors():
            request, format = cast(list[str | None], self._redis.hmget(key("audit", audit_id), "request", "format"))
        if not request or major_of(format or FIRST) > MAJOR:
            return Route(QUEUE, Priority.INTERACTIVE)
        asked = msgspec.json.decode(request, type=AuditRequest)
        return Route(self.queue_for(asked.spec.plan.provider), asked.priority)
