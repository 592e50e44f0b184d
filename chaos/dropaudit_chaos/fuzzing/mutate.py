"""`python -m dropaudit_chaos.fuzzing.mutate`: mutates what loader and server read, and counts what comes back."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dropaudit_chaos.fuzzing.loader import Batch, run_batch
from dropaudit_chaos.fuzzing.readers import fuzz_readers
from dropaudit_chaos.fuzzing.server import fuzz_server
from dropaudit_chaos.machine import machine
from dropaudit_evaluation.processes import over_processes

_BATCH = 500
_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Found:
    """The answers, counted.

    Attributes:
        inputs: how many were fed.
        outcomes: how often each ended.
        surprises: what should not have come back, each with what makes it again.
        slowest: seconds of the slowest input.
    """

    inputs: int
    outcomes: dict[str, int]
    surprises: list[str]
    slowest: float


def fuzz_loader(inputs: int, seed: int, processes: int = _PROCESSES) -> Found:
    """Feed mutations to what reads and runs models, in processes of their own: one that dies is a surprise too."""
    batches = [Batch(seed * 1_000_000 + number, _BATCH) for number in range(-(-inputs // _BATCH))]
    outcomes: Counter[str] = Counter()
    surprises, slowest = [], 0.0
    for batch, result in over_processes(run_batch, batches, processes):
        if result is None:
            surprises.append(f"the process died of batch {batch.seed}")
            continue
        outcomes.update(result.outcomes)
        surprises += result.surprises
        slowest = max(slowest, result.slowest)
    return Found(len(batches) * _BATCH, dict(outcomes), surprises, slowest)


def main() -> int:
    """Fuzz, print and write; 1 when something came back that should not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loader", type=int, default=100_000, help="models")
    parser.add_argument("--server", type=int, default=50_000, help="messages")
    parser.add_argument("--readers", type=int, default=100_000, help="filters, tokens, archives and requests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="folder for fuzz.json and fuzz.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "model loader": _timed(lambda: fuzz_loader(given.loader, given.seed)),
            "what the server reads": _timed(lambda: Found(*fuzz_readers(given.readers, given.seed))),
            "gRPC messages": _timed(lambda: Found(*fuzz_server(given.server, given.seed, Path(folder)))),
        }
    text = table(found, given.seed)
    print(text)
    if given.output:
        plain = {name: _plain(each) for name, each in found.items()}
        record = {"machine": machine(), "seed": given.seed, "found": plain}
        (given.output / "fuzz.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (given.output / "fuzz.md").write_text(text + "\n", encoding="utf-8")
    return 1 if any(each.surprises for each, _ in found.values()) else 0


def _timed(run: Callable[[], Found]) -> tuple[Found, float]:
    began = time.monotonic()
    return run(), time.monotonic() - began


def _plain(found: tuple[Found, float]) -> dict[str, object]:
    each, seconds = found
    return {
        "inputs": each.inputs,
        "outcomes": each.outcomes,
        "surprises": each.surprises,
        "slowest": each.slowest,
        "seconds": seconds,
    }


def table(found: dict[str, tuple[Found, float]], seed: int) -> str:
    """Return what came back as Markdown."""
    lines = ["# Fuzz", "", f"{machine()}. Mutations of right inputs, seed {seed}.", ""]
    for name, (each, seconds) in found.items():
        lines += [
            f"{name}: {each.inputs} inputs in {seconds:.0f} s, the slowest {each.slowest:.2f} s; "
            f"{len(each.surprises)} crashed, hung or got no typed error.",
            "",
            "| ended | number |",
            "|---|---|",
            *(f"| {outcome} | {count} |" for outcome, count in sorted(each.outcomes.items())),
            "",
            *each.surprises[:20],
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
