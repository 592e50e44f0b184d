"""Claims about how many children a worker has, and what each may do. The machine is the seam."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dropaudit_worker.pool.children import MEBIBYTE
from dropaudit_worker.pool.machine import children, count_gpus, machine_memory, usable_cores
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


def limits_in(folder: Path, limits: dict[str, str]) -> Path:
    for name, text in limits.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_a_container_has_the_memory_of_its_limit_in_both_versions_of_cgroups(name: str, tmp_path: Path) -> None:
    assert machine_memory(limits_in(tmp_path, {name: f"{64 * MEBIBYTE}\n"})) == 64 * MEBIBYTE


@pytest.mark.parametrize("limits", [{}, {"memory.max": "max\n"}, {"memory/memory.limit_in_bytes": f"{2**63 - 4096}\n"}])
def test_without_a_limit_a_container_has_the_machine_s_memory(limits: dict[str, str], tmp_path: Path) -> None:
    assert machine_memory(limits_in(tmp_path, limits)) == machine_memory(tmp_path / "none")


ONE_CORE = (
    {"cpu.max": "100000 100000\n"},
    {"cpu.max": "50000 100000\n"},
    {"cpu/cpu.cfs_quota_us": "150000\n", "cpu/cpu.cfs_period_us": "100000\n"},
)
ALL_CORES: tuple[dict[str, str], ...] = (
    {},
    {"cpu.max": "max 100000\n"},
    {"cpu.max": "409600000 100000\n"},
    {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
)


@pytest.mark.parametrize("limits", ONE_CORE)
def test_a_container_uses_as_many_processors_as_its_share_of_time_fills(limits: dict[str, str], tmp_path: Path) -> None:
    assert len(usable_cores(limits_in(tmp_path, limits))) == 1


@pytest.mark.parametrize("limits", ALL_CORES)
def test_without_a_smaller_share_a_container_uses_all_processors(limits: dict[str, str], tmp_path: Path) -> None:
    assert usable_cores(limits_in(tmp_path, limits)) == sorted(os.sched_getaffinity(0))


def test_containers_with_a_share_do_not_all_crowd_on_the_first_processors(tmp_path: Path) -> None:
    limits_in(tmp_path, ONE_CORE[0])
    used = {usable_cores(tmp_path, host=f"worker-{number}")[0] for number in range(64)}
    assert used == set(os.sched_getaffinity(0))


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
