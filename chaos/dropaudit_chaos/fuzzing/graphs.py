"""`python -m dropaudit_chaos.fuzzing.graphs`: audits graphs of a grammar in sandboxes, and counts what comes back.

Each graph has a seed, and is audited as a worker would: with a time limit, a limit of memory, and in another process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dropaudit.plan import Plan, Provider, Role
from dropaudit_chaos.fuzzing.grammar_graphs import small_model
from dropaudit_chaos.machine import machine
from dropaudit_store.records import ArtifactRef, Spec
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.host import Sandbox, SandboxLost, TimeLimitExceeded
from dropaudit_worker.sandbox.wire import AuditJob, Failed, Made, Refused

_REPLICATES = 64
_LIMIT_SECONDS = 20.0
_MEMORY_BYTES = 2 << 30
_JOBS_OF_A_SANDBOX = 500
# What a valid graph may end with.
_EXPECTED = {"INVALID_MODEL", "INVALID_TENSOR", "EXECUTION_FAILED", "MEMORY_LIMIT_EXCEEDED"}


@dataclass(slots=True)
class Found:
    """The answers, counted.

    Attributes:
        outcomes: how often each ended.
        surprises: what should not have come back, by seed.
        slowest: seconds of the slowest graph.
        largest: bytes of memory that a sandbox took at most.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    surprises: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    largest: int = 0

    def add(self, other: Found) -> None:
        """Take in what another has found."""
        self.outcomes.update(other.outcomes)
        self.surprises.update(other.surprises)
        self.slowest, self.largest = max(self.slowest, other.slowest), max(self.largest, other.largest)


def fuzz_graphs(seeds: Iterable[int], processes: int = 1) -> Found:
    """Audit the graph of each seed."""
    every = list(seeds)
    found = Found()
    with ThreadPoolExecutor(processes) as pool:
        for each in pool.map(_share, (every[number::processes] for number in range(processes))):
            found.add(each)
    return found


def _share(seeds: list[int]) -> Found:
    found, sandbox, done = Found(), _sandbox(), 0
    try:
        for seed in seeds:
            began = time.monotonic()
            outcome = _outcome(sandbox, seed, found)
            found.outcomes[outcome] += 1
            found.slowest = max(found.slowest, time.monotonic() - began)
            done += 1
            if outcome in ("CRASH", "TIME_LIMIT_EXCEEDED") or done % _JOBS_OF_A_SANDBOX == 0:
                sandbox.close()
                sandbox = _sandbox()
    finally:
        sandbox.close()
    return found


def _sandbox() -> Sandbox:
    return Sandbox(SandboxLimits(memory_bytes=_MEMORY_BYTES))


def _outcome(sandbox: Sandbox, seed: int, found: Found) -> str:
    content = small_model(random.Random(seed)).SerializeToString()
    role = (Role.AUTO, Role.TRAIN, Role.INFERENCE)[seed % 3]
    plan = Plan(provider=Provider.CPU, max_replicates=_REPLICATES, seed=seed % 1000)
    job = AuditJob(number=seed, spec=Spec(subject=ArtifactRef(role=role), plan=plan), sizes=(len(content),))
    try:
        ending = sandbox.run(job, [content], lambda _: None, lambda: False, _LIMIT_SECONDS)
    except TimeLimitExceeded as error:
        found.surprises[seed] = error.reason
        return error.reason
    except SandboxLost as lost:
        found.surprises[seed] = f"CRASH: {lost.cause}"
        return "CRASH"
    if isinstance(ending, Made) and ending.report is not None:
        found.largest = max(found.largest, ending.memory_bytes)
        return f"audited: {ending.report['verdict']}"
    if isinstance(ending, Refused):
        if ending.reason not in _EXPECTED:
            found.surprises[seed] = f"{ending.reason}: {ending.message}"
        return ending.reason
    found.surprises[seed] = ending.trace if isinstance(ending, Failed) else repr(ending)
    return "INTERNAL"


def main() -> int:
    """Fuzz, print and write; 1 when something came back that should not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first graph; the others follow")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--output", type=Path, help="folder for fuzz-graphs.json and fuzz-graphs.md")
    parser.add_argument("--traces", type=Path, help="file for what should not have come back, with its seed")
    given = parser.parse_args()
    began = time.monotonic()
    found = fuzz_graphs(range(given.first, given.first + given.graphs), given.processes)
    text = table(found, given.first, time.monotonic() - began)
    print(text)
    if given.traces:
        given.traces.write_text(json.dumps(found.surprises, indent=1) + "\n", encoding="utf-8")
    if given.output:
        record = {"machine": machine(), "first": given.first, "graphs": given.graphs, "outcomes": found.outcomes}
        record |= {"surprises": found.surprises, "slowest": found.slowest, "largest": found.largest}
        (given.output / "fuzz-graphs.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (given.output / "fuzz-graphs.md").write_text(text + "\n", encoding="utf-8")
    return 1 if found.surprises else 0


def table(found: Found, first: int, seconds: float) -> str:
    """Return what came back as Markdown."""
    count = sum(found.outcomes.values())
    lines = [
        "# Fuzz of graphs",
        "",
        f"{machine()}. {count} graphs of the grammar, seeds from {first}, each audited with {_REPLICATES} replicates "
        f"in a sandbox with {_LIMIT_SECONDS:g} s and {_MEMORY_BYTES >> 20} MiB, in {seconds:.0f} s; the slowest took "
        f"{found.slowest:.1f} s, and no sandbox took more than {found.largest >> 20} MiB. {len(found.surprises)} "
        "crashed, took too long or got no typed error.",
        "",
        "| ended | number |",
        "|---|---|",
        *(f"| {outcome} | {number} |" for outcome, number in sorted(found.outcomes.items())),
        "",
        *(f"- {seed}: {_last_line(what)}" for seed, what in list(found.surprises.items())[:20]),
    ]
    return "\n".join(lines)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


if __name__ == "__main__":
    sys.exit(main())
