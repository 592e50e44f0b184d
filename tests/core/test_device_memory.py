"""Claims about the memory that a session may take of a GPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dropaudit.plan import Provider
from dropaudit.runtime.device_memory import device_memory_limit, limit_device_memory
from dropaudit.runtime.provider import Place, choose

CUDA = Place(Provider.CUDA, ("CUDAExecutionProvider", "CPUExecutionProvider"), "a GPU")


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
