"""Measurements that take a process of their own: peak memory, and how soon a command answers."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cases import CASES
from dropaudit_models.seed_case import seed_case

MEMORY = (10_000, 1_000_000)


def peak_memory(replicates: int) -> int:
    """Return the peak resident bytes of a process that computes all statistics of so many replicates."""
    command = [sys.executable, __file__, str(replicates)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def own_peak(replicates: int) -> int:
    """Compute in this process and return its peak resident bytes."""
    from contender import all_statistics

    all_statistics(CASES["hidden 128"], "cpu")(replicates)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def seconds_of(command: Sequence[str]) -> float:
    """Return how long a command takes from its start to its end, with compiled modules as an installed package has."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return time.perf_counter() - start


def startup(rounds: int) -> dict[str, float]:
    """Return the median seconds of whole processes: `import numpy`, and two commands on the seed case."""
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(Path(folder))
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(rounds + 1):
            for name, command in commands.items():
                elapsed = seconds_of(command)
                if number:
                    seconds[name].append(elapsed)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _commands(folder: Path) -> dict[str, list[str]]:
    dropaudit = str(Path(sys.executable).with_name("dropaudit"))
    recorded = seed_case()
    inference, train = folder / "inference.npy", folder / "train.npy"
    np.save(inference, recorded.inference)
    np.save(train, recorded.train[0])
    subprocess.run([dropaudit, "models", "export", "lstm-dropout", "-o", str(folder)], check=True, capture_output=True)
    return {
        "import numpy": [sys.executable, "-c", "import numpy"],
        "dropaudit compare": [dropaudit, "compare", str(inference), str(train), "--keep-prob", "0.5"],
        "dropaudit run": [dropaudit, "run", str(folder / "lstm-dropout.onnx"), "--provider", "cpu"],
    }


if __name__ == "__main__":
    print(own_peak(int(sys.argv[1])))
