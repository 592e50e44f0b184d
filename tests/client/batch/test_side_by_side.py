"""Claims about work on several processes: within memory, and whatever dies."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from dropaudit_client.batch.side_by_side import free_memory, side_by_side, usable_cores


def squared(number: int) -> int:
    return number * number


def dies_of_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return number


def span(_: int) -> tuple[float, float]:
    start = time.monotonic()
    time.sleep(0.2)
    return start, time.monotonic()


def fails(number: int) -> int:
    raise KeyError(number)


def done(
    function: Callable[[int], object], items: Sequence[int], processes: int, memory: int = 100, need: int = 1
) -> dict[int, object]:
    return dict(side_by_side(function, items, processes, memory=memory, need=lambda _: need))


def test_every_item_comes_back_with_its_result() -> None:
    assert done(squared, range(20), 2) == {number: number * number for number in range(20)}
    assert done(squared, [], 2) == {}


def test_what_kills_its_process_comes_back_without_a_result_and_stops_no_other() -> None:
    expected = {number: None if number == 3 else number for number in range(8)}
    assert done(dies_of_three, range(8), 2) == expected
    assert done(dies_of_three, [3], 1) == {3: None}


@pytest.mark.parametrize(("memory", "need"), [(1, 1), (10, 6), (3, 50)])
def test_what_does_not_fit_beside_the_others_waits(memory: int, need: int) -> None:
    spans = sorted(pair for pair in done(span, range(3), 3, memory, need).values() if isinstance(pair, tuple))
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


def test_an_error_of_the_function_is_raised() -> None:
    with pytest.raises(KeyError):
        done(fails, [1], 1)


def test_a_machine_has_a_core_and_some_memory() -> None:
    assert usable_cores() >= 1
    assert free_memory() > 1 << 20
