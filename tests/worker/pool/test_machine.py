"""Claims about how many children a worker has, and what each may do. The machine is the seam."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dropaudit_worker.pool.children import MEBIBYTE
from dropaudit_worker.pool.machine import children, count_gpus, machine_memory
from dropaudit_worker.settings import WorkerSettings

GIBIBYTE = 1024 * MEBIBYTE


@pytest.mark.parametrize(
    ("concurrency", "gpus", "count", "gibibytes"),
    [(0, 0, 4, 20), (2, 0, 2, 40), (0, 2, 2, 40), (1, 2, 1, 80)],
)
def test_there_is_a_child_for_each_gpu_or_two_cores_with_even_shares_of_the_memory(
    concurrency: int, gpus: int, count: int, gibibytes: int
) -> None:
    found, limits = children(WorkerSettings(concurrency=concurrency), gpus, range(8), 100 * GIBIBYTE)
    assert (found, limits.gpus, limits.memory_bytes) == (count, gpus, gibibytes * GIBIBYTE)


def test_memory_that_is_asked_for_is_what_a_child_gets() -> None:
    _, limits = children(WorkerSettings(memory_limit_mebibytes=512), 0, range(8), 100 * GIBIBYTE)
    assert limits.memory_bytes == 512 * MEBIBYTE


def test_the_memory_of_a_gpu_is_limited_where_the_operator_says_so() -> None:
    _, limits = children(WorkerSettings(gpu_memory_limit_mebibytes=2048), 2, range(8), 100 * GIBIBYTE)
    assert (limits.gpus, limits.gpu_memory_bytes) == (2, 2 * GIBIBYTE)


@pytest.mark.parametrize(
    ("cores", "concurrency", "shares"),
    [([0, 1], 0, [(0, 1)]), ([4, 5, 6, 7], 2, [(4, 5), (6, 7)]), ([3], 2, [(3,), (3,)]), ([0, 1, 2], 2, [(0,), (1,)])],
)
def test_children_do_not_share_cores_where_there_are_enough(
    cores: list[int], concurrency: int, shares: list[tuple[int, ...]]
) -> None:
    _, limits = children(WorkerSettings(concurrency=concurrency), 0, cores, GIBIBYTE)
    assert list(limits.cores) == shares


def test_this_machine_has_memory_and_no_more_than_the_kernel_says() -> None:
    assert 0 < machine_memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_counting_gpus_asks_no_driver_in_this_process() -> None:
    assert count_gpus() >= 0
    program = (
        "import sys; from dropaudit_worker.pool.machine import count_gpus; count_gpus(); "
        "sys.exit('onnxruntime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_children_see_one_gpu_each() -> None:
    program = (
        "import os; from types import SimpleNamespace; from dropaudit_worker.pool import children; "
        "children.current_process = lambda: SimpleNamespace(index=3); "
        "children.prepare(children.ChildLimits(memory_bytes=0, gpus=2)); print(os.environ['CUDA_VISIBLE_DEVICES'])"
    )
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout == "1\n"
