"""Sizes of images, the time of a rebuild, and what an idle deployment costs."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from compose_test.engine import BASES, IMAGES, ROOT, VERSION, Deployment, docker
from compose_test.reporting import require, say

# Megabytes over the base image.
_MOST_ADDED = {"server": 120, "worker": 260, "redis": 1}
_MOST_REBUILD_SECONDS = 20.0
_EDITED = {"server": "server/dropaudit_server/stopping.py", "worker": "worker/dropaudit_worker/tool.py"}
_IDLE_SECONDS = 60.0
# Shares of a core.
_MOST_IDLE = 0.05
# Nanoseconds in the first version of cgroups, microseconds in the second.
_USAGE = "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || grep usage_usec /sys/fs/cgroup/cpu.stat"
_ENGINE = ("dockerd", "containerd", "containerd-shim", "docker-proxy")


def check_sizes() -> None:
    """Require that images add no more to their bases than they may."""
    for name, image in IMAGES.items():
        size, base = (_megabytes(each) for each in (f"{image}:{VERSION}", BASES[name]))
        require(size - base <= _MOST_ADDED[name], f"{image} adds {size - base:.0f} MB to its base image")
        say(f"{image}: {size:.0f} MB, {size - base:.0f} MB more than {BASES[name]} (at most {_MOST_ADDED[name]})")


def check_rebuild() -> None:
    """Require that an image is soon made again after a line was changed. A copy is changed, not this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "tests", "benchmarks", "__pycache__"))
        shutil.copy(ROOT / ".dockerignore", copy)
        for role, edited in _EDITED.items():
            # The best of a few: this machine may have other things to do.
            seconds = min(_rebuild_seconds(copy, role, edited) for _ in range(3))
            say(f"{role}: built again in {seconds:.1f} s after a changed line")
            require(seconds < _MOST_REBUILD_SECONDS, f"{role}: {seconds:.1f} s after a changed line")


def _rebuild_seconds(copy: Path, role: str, edited: str) -> float:
    with (copy / edited).open("a", encoding="utf-8") as file:
        file.write(f"# Changed at {time.time()}.\n")
    began = time.monotonic()
    command = ["docker", "build", "-q", "-t", f"{IMAGES[role]}:{VERSION}-edited", "-f", f"{role}/Dockerfile"]
    # As docker-compose.yml builds it: an argument is a part of what a layer is known by.
    subprocess.run([*command, "--build-arg", f"VERSION={VERSION}", "."], cwd=copy, check=True, capture_output=True)
    return time.monotonic() - began


def check_idle(deployment: Deployment) -> None:
    """Require that containers with nothing to do cost little. The engine's part is told where it runs here."""
    # The best of a few: a machine that has other things to do makes everything dearer.
    share, engine_share = min((_idle_shares(deployment) for _ in range(3)), key=sum)
    say(
        f"idle for {_IDLE_SECONDS:.0f} s: {len(deployment.containers())} containers take {share:.1%} of a core, the "
        f"engine with its health checks {engine_share:.1%}"
    )
    require(share + engine_share < _MOST_IDLE, f"an idle deployment takes {share + engine_share:.1%} of a core")


def _idle_shares(deployment: Deployment) -> tuple[float, float]:
    """Return how much of a core the containers take while nothing happens, and the engine."""
    containers, engine = deployment.containers(), _engine_seconds()
    before = sum(map(_used_seconds, containers))
    time.sleep(_IDLE_SECONDS)
    share = (sum(map(_used_seconds, containers)) - before) / _IDLE_SECONDS
    return share, (_engine_seconds() - engine) / _IDLE_SECONDS


def _megabytes(image: str) -> float:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6


def _used_seconds(container: str) -> float:
    words = docker("exec", container, "sh", "-c", _USAGE).split()
    return int(words[0]) / 1e9 if len(words) == 1 else int(words[1]) / 1e6


def _engine_seconds() -> float:
    """Return what the engine's processes have taken, those that ended too; 0 where none is seen."""
    times = [each.cpu_times() for each in psutil.process_iter() if each.name().startswith(_ENGINE)]
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)
