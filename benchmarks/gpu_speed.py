"""Cost of an audit on a GPU: `make bench-gpu`, in under four minutes.

Each contender runs alone, one after the other, in a process of its own and with a limit of time; what takes long makes
fewer replicates and is scaled. benchmarks/speed-gpu.json and speed-gpu.md are written after each of them, so that a
machine that is taken away leaves what it has measured.

    gpu_speed.py [--device cpu] [--seconds 225] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cases import CASES, GPU_CASES, Case
from contender import SECOND, STATISTICS, VERDICT
from driver import contenders
from dropaudit.plan import Provider
from dropaudit.runtime.cuda import device_memory
from dropaudit.runtime.provider import choose, runtime_version

FOLDER = Path(__file__).parent
LIMIT = 225.0
REPLICATES = 1000
BASE, TILED, ORT = "torch loop", "torch tiled", "ORT loop"
# By case and contender, the ratio to the torch loop that is aimed at.
AIMS = {
    ("1024, output", STATISTICS): 0.10,
    ("1024, output", VERDICT): 0.10,
    ("1024, 3 layers", STATISTICS): 0.50,
}
_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Turn:
    """One contender's turn: how many replicates it makes, how often, and the seconds that it has for all of them."""

    case: str
    contender: str
    replicates: int = REPLICATES
    rounds: int = 3
    limit: float = 25.0


TURNS = [
    Turn("1024, output", BASE, rounds=2),
    Turn("1024, output", TILED, rounds=2),
    Turn("1024, output", STATISTICS),
    Turn("1024, output", VERDICT),
    Turn("1024, output", SECOND),
    Turn("1024, 3 layers", BASE, replicates=300, rounds=1),
    Turn("1024, 3 layers", TILED, replicates=300, rounds=1),
    Turn("1024, 3 layers", STATISTICS, rounds=2),
    Turn("1024, 3 layers", VERDICT, rounds=1),
    Turn("1024, 3 layers", SECOND, rounds=1),
    Turn("hidden 512", BASE, limit=15),
    Turn("hidden 512", STATISTICS, limit=15),
    Turn("hidden 512", VERDICT, limit=15),
    Turn("1024, output", ORT, replicates=20, rounds=1, limit=15),
]


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--seconds", type=float, default=LIMIT)
    parser.add_argument("--output", type=Path, default=FOLDER)
    asked = parser.parse_args()
    for result in measured(asked.device, asked.seconds):
        (asked.output / "speed-gpu.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        (asked.output / "speed-gpu.md").write_text(document(result) + "\n", encoding="utf-8")
    print(document(result))
    return 0


def measured(device: str, seconds: float) -> Iterator[dict[str, Any]]:
    """Yield what is measured so far, after each turn."""
    end = time.monotonic() + seconds
    place = choose(Provider(device))
    result: dict[str, Any] = {
        "machine": f"{place.device}, {len(os.sched_getaffinity(0))} cores",
        "software": f"Python {platform.python_version()}, torch {version('torch')}, {runtime_version()}",
        "turns": [],
    }
    cases = GPU_CASES | CASES
    for turn in TURNS:
        left = min(turn.limit, end - time.monotonic())
        result["turns"].append(_taken(turn, cases[turn.case], device, left))
        print(_row(result["turns"][-1], result["turns"]), file=sys.stderr, flush=True)
        yield result
    result["busy"] = {}
    for name, case in GPU_CASES.items():
        if device == "cuda" and time.monotonic() < end:
            from device import busy_share

            result["busy"][name] = busy_share(case, REPLICATES)
            yield result


def _taken(turn: Turn, case: Case, device: str, left: float) -> dict[str, Any]:
    """Let a contender have its turn; without figures where it did not end in time."""
    took: list[float] = []
    started = time.monotonic()
    with contenders([turn.contender], device) as (contender,), _Watch() as watch:
        killer = threading.Timer(max(0.1, left), contender.kill)
        killer.start()
        try:
            for number in range(turn.rounds + 1):
                elapsed = contender.seconds(case, turn.replicates)
                took += [elapsed] if number else []
        except (RuntimeError, OSError):
            pass  # it was ended, or ended itself; what it has made counts
        finally:
            killer.cancel()
    return {
        "case": turn.case,
        "contender": turn.contender,
        "replicates": turn.replicates,
        "seconds": statistics.median(took) if took else None,
        "rounds": len(took),
        "wall": time.monotonic() - started,
        "peak_bytes": watch.peak,
    }


class _Watch:
    """Watches how much of a device's memory is taken, by anybody."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY):
            memory = device_memory()
            self.peak = max(self.peak, 0 if memory is None else memory.total - memory.free)


def document(result: Mapping[str, Any]) -> str:
    """Return the result as Markdown."""
    turns = result["turns"]
    return "\n".join(
        [
            "# Speed on a GPU",
            "",
            f"Written by `make bench-gpu`: {result['machine']}; {result['software']}. Each contender alone in a "
            f"process of its own, the median of its rounds after one to warm up, scaled to T = {REPLICATES} replicates "
            "where it made fewer; an audit draws as many as it needs. Memory is what is taken of the device at most.",
            "",
            "| model | contender | replicates | rounds | milliseconds | of the torch loop | aim | device memory, GiB |",
            "|---|---|---:|---:|---:|---:|---:|---:|",
            *(_row(turn, turns) for turn in turns),
            *(
                f"\nThe device is busy for {share:.0%} of all statistics ({name})."
                for name, share in result.get("busy", {}).items()
            ),
        ]
    )


def _row(turn: Mapping[str, Any], turns: list[Mapping[str, Any]]) -> str:
    own, base = _scaled(turn), next((_scaled(each) for each in turns if _is_base_of(turn, each)), None)
    ratio = "" if own is None or base is None else f"{own / base:.4f}"
    aim = AIMS.get((turn["case"], turn["contender"]))
    return (
        f"| {turn['case']} | {turn['contender']} | {turn['replicates']} | {turn['rounds']} | "
        f"{'not reached' if own is None else f'{1000 * own:.4g}'} | {ratio} | {'' if aim is None else f'{aim:.2f}'} | "
        f"{turn['peak_bytes'] / 2**30:.1f} |"
    )


def _is_base_of(turn: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(other["case"] == turn["case"] and other["contender"] == BASE)


def _scaled(turn: Mapping[str, Any]) -> float | None:
    """Return the seconds of a thousand replicates; of an audit, which draws what it needs, its own."""
    if turn["seconds"] is None:
        return None
    scale = 1.0 if turn["contender"] in (VERDICT, SECOND) else REPLICATES / turn["replicates"]
    return float(turn["seconds"]) * scale


if __name__ == "__main__":
    sys.exit(main())
