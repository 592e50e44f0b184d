"""GPU measurements beside speed: how busy the device is."""

from __future__ import annotations

import subprocess
import threading
import time
from statistics import fmean

from cases import Case
from contender import all_statistics

_EVERY = 0.05
_SHORTEST = 3.0


def busy_share(case: Case, replicates: int) -> float:
    """Return the share of the time in which the device executes a kernel, while statistics are computed.

    NVIDIA's driver counts it over its own sampling period; `nvidia-smi` reads it.
    """
    run = all_statistics(case, "cuda")
    run(replicates)
    shares: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            shares.append(_utilization())
            time.sleep(_EVERY)

    watcher = threading.Thread(target=watch)
    start = time.perf_counter()
    watcher.start()
    while time.perf_counter() - start < _SHORTEST:
        run(replicates)
    ended.set()
    watcher.join()
    # The first sample may look back to before the run.
    return fmean(shares[1:] or shares)


def _utilization() -> float:
    command = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 100
