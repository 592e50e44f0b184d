"""Claims about the memory that a session may take of a GPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dropaudit.plan import Provider
from dropaudit.runtime.device_memory import Memory, device_memory_limit, limit_device_memory, numbers_that_fit
from dropaudit.runtime.provider import Device, choose

CUDA = Device(Provider.CUDA, ("CUDAExecutionProvider", "CPUExecutionProvider"), "a GPU")


@pytest.fixture(autouse=True)
def _free_again() -> Iterator[None]:
    yield
    limit_device_memory(0)


def test_a_session_takes_what_it_wants_where_nothing_is_said() -> None:
    assert device_memory_limit() == 0
    options = {"arena_extend_strategy": "kSameAsRequested"}
    assert CUDA.providers == [("CUDAExecutionProvider", options), "CPUExecutionProvider"]


def test_a_limit_goes_with_every_session_on_a_gpu() -> None:
    limit_device_memory(3 << 30)
    options = {"gpu_mem_limit": "3221225472", "arena_extend_strategy": "kSameAsRequested"}
    assert CUDA.providers == [("CUDAExecutionProvider", options), "CPUExecutionProvider"]


def test_the_cpu_has_no_such_limit() -> None:
    limit_device_memory(1)
    assert choose(Provider.CPU).providers == ["CPUExecutionProvider"]


def test_a_run_is_as_large_as_wanted_where_there_is_room() -> None:
    assert numbers_that_fit(2**28, Memory(free=80 << 30, total=80 << 30), 0) == 2**28
    assert numbers_that_fit(2**28, None, 0) == 2**28


def test_a_run_is_halved_until_it_fits_what_is_free_and_what_is_allowed() -> None:
    assert numbers_that_fit(2**28, Memory(free=1 << 30, total=80 << 30), 0) == 2**27
    assert numbers_that_fit(2**28, Memory(free=80 << 30, total=80 << 30), 600 << 20) == 2**26
    assert numbers_that_fit(2**28, None, 8) == 1
