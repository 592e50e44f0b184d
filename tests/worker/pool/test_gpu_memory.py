"""Claims about the memory of GPUs."""

from __future__ import annotations

import ctypes
from typing import Any, cast

import pytest

from dropaudit_store.audits.workers import Gpu
from dropaudit_worker.pool.gpu_memory import gpu_memory


class Driver:
    """NVIDIA's management library with two GPUs, the second of which does not say how its memory stands."""

    ended = False

    def nvmlInit_v2(self) -> int:  # noqa: N802
        return 0

    def nvmlShutdown(self) -> int:  # noqa: N802
        self.ended = True
        return 0

    def nvmlDeviceGetCount_v2(self, count: Any) -> int:  # noqa: N802
        count._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index: Any, device: Any) -> int:  # noqa: N802
        device._obj.value = index.value + 1
        return 0

    def nvmlDeviceGetMemoryInfo(self, device: Any, memory: Any) -> int:  # noqa: N802
        memory._obj.total, memory._obj.used = 80, 3
        return 0 if device.value == 1 else 3

    def nvmlDeviceGetUUID(self, _: Any, name: Any, length: Any) -> int:  # noqa: N802
        name.value = b"GPU-one"
        return 0


def test_each_gpu_that_says_so_is_told_with_its_memory() -> None:
    driver = Driver()
    assert gpu_memory(lambda _: cast(ctypes.CDLL, driver)) == (Gpu(name="GPU-one", used=3, total=80),)
    assert driver.ended


def test_without_a_driver_there_is_nothing_to_tell() -> None:
    def missing(_: str) -> ctypes.CDLL:
        raise OSError("no such library")

    assert gpu_memory(missing) == ()


@pytest.mark.gpu
def test_a_real_gpu_has_memory() -> None:
    if not (found := gpu_memory()):
        pytest.skip("no GPU answers")
    assert all(0 < each.used < each.total for each in found)
    assert all(each.name.startswith("GPU-") for each in found)
