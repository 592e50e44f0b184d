"""Claims about whether a worker takes work, and the file that tells so."""

from __future__ import annotations

import time
from pathlib import Path

from dropaudit_worker.queue.consumption import Consumption
from support.clock import Clock
from support.services import eventually, worker


def test_a_worker_that_asked_a_moment_ago_takes_work() -> None:
    clock = Clock()
    consumption = Consumption(clock)
    clock.now += 60
    consumption.note()
    clock.now += 9
    assert consumption.goes_on(busy=0, children=2)


def test_an_idle_worker_that_no_longer_asks_does_not() -> None:
    clock = Clock()
    consumption = Consumption(clock)
    clock.now += 11
    assert not consumption.goes_on(busy=0, children=2)
    assert not consumption.goes_on(busy=1, children=2)


def test_a_worker_whose_children_are_all_busy_needs_not_ask() -> None:
    clock = Clock()
    consumption = Consumption(clock)
    clock.now += 1800
    assert consumption.goes_on(busy=2, children=2)


def test_an_idle_worker_touches_its_file_again_and_again(redis_url: str, tmp_path: Path) -> None:
    file = tmp_path / "alive"
    with worker(redis_url, tmp_path, heartbeat_file=file) as running:
        eventually(file.exists, f"the worker does not take work: {running.log}")
        first = file.stat().st_mtime
        eventually(lambda: file.stat().st_mtime > first, "the worker's file grows old")
        assert time.time() - file.stat().st_mtime < 10
