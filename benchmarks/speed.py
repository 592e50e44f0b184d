"""Cost of an audit beside what one would do instead: `make bench`; see gpu_speed.py for a GPU.

Each contender runs in a process of its own; rounds are interleaved, and each figure is a median. Writes
benchmarks/speed.json, benchmarks/README.md and benchmarks/scaling.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import scaling
from cases import CASES, Case
from contender import CONTENDERS, SECOND, STATISTICS, VERDICT
from driver import contenders, medians
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose, runtime_version
from whole_process import MEMORY, peak_memory, startup

FOLDER = Path(__file__).parent
REPLICATES = 1000
BASE = "torch loop"
# By case and contender, the ratio to the torch loop that is aimed at.
AIMS = {
    ("hidden 128", STATISTICS): 0.10,
    ("hidden 512", STATISTICS): 0.10,
    ("3 layers", STATISTICS): 0.33,
    ("hidden 128", VERDICT): 1 / 30,
    ("hidden 128", SECOND): 1 / 60,
}


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    asked = parser.parse_args()
    result = on_cpu(asked.rounds, asked.replicates)
    text = document(result)
    print(text)
    (FOLDER / "speed.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    (FOLDER / "README.md").write_text(text + "\n", encoding="utf-8")
    return 0


def on_cpu(rounds: int, replicates: int) -> dict[str, Any]:
    """Measure everything that needs no GPU."""
    with contenders(list(CONTENDERS), "cpu") as found:
        seconds = _timed(found, CASES, replicates, rounds)
    with contenders([STATISTICS], "cpu") as (own,):
        series = scaling.measure(own, max(3, rounds // 2))
    scaling.plot(series, FOLDER / "scaling.svg")
    return {
        **_machine(Provider.CPU),
        "rounds": rounds,
        "replicates": replicates,
        "seconds": seconds,
        "scaling": [
            {"name": each.name, "values": each.values, "seconds": each.seconds, "exponent": each.exponent}
            for each in series
        ],
        "scaling_table": scaling.rows(series),
        "peak_bytes": {str(count): peak_memory(count) for count in MEMORY},
        "startup": startup(rounds),
    }


def _timed(found: Sequence[Any], cases: Mapping[str, Case], replicates: int, rounds: int) -> dict[str, Any]:
    seconds = {}
    for name, case in cases.items():
        print(f"timing {name}", file=sys.stderr)
        seconds[name] = medians(found, case, replicates, rounds)
    return seconds


def _machine(provider: Provider) -> dict[str, str]:
    return {
        "machine": f"{choose(provider).device}, {len(os.sched_getaffinity(0))} cores",
        "software": f"Python {platform.python_version()}, torch {version('torch')}, {runtime_version()}, "
        f"numpy {version('numpy')}",
    }


def document(result: Mapping[str, Any]) -> str:
    """Return the result as Markdown."""
    lines = [
        "# Speed",
        "",
        f"Written by `make bench`: {result['machine']}; {result['software']}. Medians of {result['rounds']} "
        f"interleaved rounds, each contender in a process of its own, T = {result['replicates']} replicates.",
        "",
        *_ratios(result),
    ]
    for part in (_memory, _startup, _scaling):
        lines += part(result)
    return "\n".join(lines)


def _ratios(result: Mapping[str, Any]) -> list[str]:
    lines = ["| model | contender | milliseconds | of the torch loop | aim |", "|---|---|---:|---:|---:|"]
    for case, seconds in result["seconds"].items():
        for name, value in seconds.items():
            aim = AIMS.get((case, name))
            lines.append(
                f"| {case} | {name} | {1000 * value:.4g} | {value / seconds[BASE]:.4f} | "
                f"{'' if aim is None else f'{aim:.4f}'} |"
            )
    return lines


def _memory(result: Mapping[str, Any]) -> list[str]:
    if "peak_bytes" not in result:
        return []
    few, many = result["peak_bytes"].values()
    return [
        "",
        f"Peak memory of all statistics: {few / 2**20:.0f} MiB at {MEMORY[0]:,} replicates, {many / 2**20:.0f} MiB at "
        f"{MEMORY[1]:,}, ratio {many / few:.3f} (aim: at most 1.10).",
    ]


def _startup(result: Mapping[str, Any]) -> list[str]:
    if "startup" not in result:
        return []
    found = result["startup"]
    allowed = 1.5 * found["import numpy"] + 0.150
    return [
        "",
        "| whole process | milliseconds | aim |",
        "|---|---:|---:|",
        f"| `python -c 'import numpy'` | {1000 * found['import numpy']:.0f} | |",
        f"| `dropaudit compare` on the seed case | {1000 * found['dropaudit compare']:.0f} | {1000 * allowed:.0f} |",
        f"| `dropaudit run` on the seed twin | {1000 * found['dropaudit run']:.0f} | 800 |",
    ]


def _scaling(result: Mapping[str, Any]) -> list[str]:
    if "scaling_table" not in result:
        return []
    return [
        "",
        f"All statistics against one parameter, the others as in the first model (`{STATISTICS}`):",
        "",
        *result["scaling_table"],
        "",
        "![cost against replicates, hidden size, time steps and sites](scaling.svg)",
    ]


if __name__ == "__main__":
    sys.exit(main())
