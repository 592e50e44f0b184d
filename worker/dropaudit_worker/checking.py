"""The checks of `python -m dropaudit_worker [worker|beat] --check`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dropaudit_store.checks import check_blobs, check_redis, settings_ok
from dropaudit_store.redis.connection import key
from dropaudit_store.shared.program import Check, CheckFailed
from dropaudit_worker.pool.machine import usable_gpus
from dropaudit_worker.queue.beat import KEY_PREFIX
from dropaudit_worker.settings import WorkerSettings
from dropaudit_worker.tool import runtime


def checks_of_worker(settings: WorkerSettings, count_gpus: Callable[[], int]) -> Mapping[str, Check]:
    """Return the checks of a worker."""
    return {
        "settings": lambda: settings_ok(settings),
        "redis": lambda: check_redis(settings, key("check", "worker")),
        "blobs": lambda: check_blobs(settings.blob_url),
        "runtime": lambda: _runtime(settings, count_gpus),
    }


def checks_of_beat(settings: WorkerSettings) -> Mapping[str, Check]:
    """Return the checks of a beat, which needs nothing but Redis, and there only keys of its own."""
    return {
        "settings": lambda: settings_ok(settings),
        "redis": lambda: check_redis(settings, f"{KEY_PREFIX}check"),
    }


def _runtime(settings: WorkerSettings, count_gpus: Callable[[], int]) -> str:
    if not (found := runtime()):
        raise CheckFailed("there is none: install dropaudit[cpu] or dropaudit[gpu]")
    gpus = usable_gpus(settings.device, count_gpus)
    return f"{found}, on {gpus} GPUs" if gpus else f"{found}, on the CPU"
