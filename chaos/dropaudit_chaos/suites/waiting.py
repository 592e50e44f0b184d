"""Waiting for what a service does by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from dropaudit_client import AuditClient
from dropaudit_client.resources import Run, RunState

_LOOK_SECONDS = 0.5

T = TypeVar("T")


def until(look: Callable[[], T | None], sentence: str, seconds: float) -> T:
    """Return what a look finds as soon as it finds something. Raises TimeoutError with the sentence."""
    end = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > end:
            raise TimeoutError(f"{sentence} within {seconds:g} s")
        time.sleep(_LOOK_SECONDS)
    return found


def next_run(client: AuditClient, suite: str, after: float, seconds: float) -> Run:
    """Wait for the first run that was due after an instant, and return it finished and compared.

    Args:
        after: seconds since the epoch.
    """

    def look() -> Run | None:
        ended = (run for run in client.list_runs(suite) if run.state is RunState.FINISHED)
        later = [run for run in ended if run.due_time is not None and run.due_time.timestamp() > after]
        return client.wait_run(later[-1].name) if later else None

    return until(look, f"no run of {suite} that was due later has finished", seconds)
