"""Where the time from bytes to verdict goes: processor time of each step, sessions and runs, into step-costs.md.

    step_costs.py [--audits 40] [--output FOLDER]

Processor time is that of all threads: replicates are drawn on all cores, every other step takes one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import onnxruntime

import dropaudit.audit_artifacts as whole
import dropaudit.measure.cases.build_case as building
import dropaudit.measure.prepare as preparing
import dropaudit.measure.sampling.strategy as choosing
from cases import CASES, Case
from contender import verdict

FOLDER = Path(__file__).parent
# By module and function, the step in the table; those with a dash are parts of the step above them.
STEPS: list[tuple[ModuleType, str, str]] = [
    (whole, "make_case", "read, find sites, make inputs"),
    (building, "read", "- parse, check limits, infer shapes"),
    (building, "nodes_of_default_session", "- which nodes a default session leaves (a session)"),
    (whole, "prepare", "prepare"),
    (preparing, "Session", "- the model without its randomness (a session)"),
    (preparing, "make_reference", "- its outputs, twice"),
    (preparing, "_drawing", "- how replicates are drawn (three sessions)"),
    (choosing, "_tiled", "- - the batch axis, on trial: masks and answers of four copies"),
    (choosing, "shortened", "- - the part behind the first draw, on trial"),
    (preparing, "study_masks", "- masks of single runs compared"),
    (preparing, "_labels", "- which axis is batch, which time"),
    (whole, "_sampled", "draw replicates until all is decided (a session for each core)"),
    (whole, "_report", "judge, and write the report"),
]


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--audits", type=int, default=40)
    parser.add_argument("--output", type=Path, default=FOLDER)
    asked = parser.parse_args()
    text = "\n".join(document({name: measured(CASES[name], asked.audits) for name in ("hidden 128", "hidden 512")}))
    print(text)
    (asked.output / "step-costs.md").write_text(text + "\n", encoding="utf-8")
    return 0


def measured(case: Case, audits: int) -> dict[str, float]:
    """Return milliseconds of processor time of each step of an audit, and how many sessions and runs it makes."""
    run, found = verdict(case, "cpu"), Counter[str]()
    originals = [(module, name, getattr(module, name)) for module, name, _ in STEPS]
    inference_session = onnxruntime.InferenceSession
    run(0)
    for module, name, call in originals:
        setattr(module, name, _timed(call, found, name))
    onnxruntime.InferenceSession = _counted(inference_session, found)
    try:
        _timed(lambda: [run(0) for _ in range(audits)], found, "all")()
    finally:
        onnxruntime.InferenceSession = inference_session
        for module, name, call in originals:
            setattr(module, name, call)
    return {name: value / audits for name, value in found.items()}


def _timed(call: Callable[..., Any], found: Counter[str], name: str) -> Callable[..., Any]:
    def timed(*args: Any, **options: Any) -> Any:
        start = time.process_time()
        try:
            return call(*args, **options)
        finally:
            found[name] += 1000 * (time.process_time() - start)  # type: ignore[assignment]  # counts milliseconds

    return timed


def _counted(kind: Any, found: Counter[str]) -> Any:
    class Counted(kind):  # type: ignore[misc]  # the runtime's session
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            found["sessions"] += 1

        def run(self, *args: Any, **options: Any) -> Any:
            found["runs"] += 1
            return super().run(*args, **options)

    return Counted


def document(found: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """Yield the table as Markdown."""
    yield "# Where the time from bytes to verdict goes"
    yield ""
    yield "Written by `benchmarks/step_costs.py`: milliseconds of processor time, of all threads together."
    yield ""
    yield f"| step | {' | '.join(found)} |"
    yield f"|---|{'---:|' * len(found)}"
    for _, name, step in (*STEPS, (whole, "all", "all")):
        yield f"| {step} | {' | '.join(f'{costs.get(name, 0.0):.1f}' for costs in found.values())} |"
    for name in ("sessions", "runs"):
        yield f"| {name} | {' | '.join(f'{costs[name]:.0f}' for costs in found.values())} |"


if __name__ == "__main__":
    sys.exit(main())
