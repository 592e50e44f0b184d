"""Where the time from bytes to verdict goes: processor time of each step, sessions and runs, into step-costs.md.

    step_costs.py [--audits 40] [--output FOLDER]

Processor time is that of all threads: replicates are drawn on all cores, every other step takes one. Below the steps
stands how much of it all is ONNX Runtime's own, and what that leaves of the times that are aimed at.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import current_thread
from types import ModuleType
from typing import Any, NamedTuple

import onnxruntime

import dropaudit.audit_artifacts as whole
import dropaudit.measure.cases.build_case as building
import dropaudit.measure.prepare as preparing
import dropaudit.measure.sampling.strategy as choosing
from cases import CASES, Case
from contender import Run, second_audit, verdict
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose, cores

FOLDER = Path(__file__).parent
# What is counted in the threads that draw replicates has this in its name.
LANES = " of lanes"
# What ONNX Runtime does itself, by where: in the audit's own thread, or in the threads that draw replicates.
RUNTIME = {
    "sessions": "ONNX Runtime: sessions made one after the other",
    "runs": "ONNX Runtime: trial runs",
    "sessions of lanes": "ONNX Runtime: a session for each core",
    "runs of lanes": "ONNX Runtime: runs that draw the replicates",
}
AUDITS: dict[str, Callable[[Case, str], Run]] = {"first": verdict, "second": second_audit}
AIMS = {"first": 30, "second": 60}
# By module and function, the step in the table; those with a dash are parts of the step above them.
STEPS: list[tuple[ModuleType, str, str]] = [
    (whole, "make_case", "read, find sites, make inputs"),
    (building, "read", "- parse, check limits, infer shapes"),
    (building, "nodes_of_default_session", "- which nodes a default session leaves (a session)"),
    (whole, "prepare", "prepare"),
    (preparing, "shared_session", "- the model in both modes (a session)"),
    (preparing, "make_reference", "- its outputs, twice"),
    (preparing, "_drawing", "- how replicates are drawn"),
    (choosing, "_tiled", "- - the batch axis, on trial: masks and answers of two copies"),
    (choosing, "shortened", "- - the part behind the first draw, on trial (a session)"),
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
    names = [(name, audit) for audit in AUDITS for name in ("hidden 128", "hidden 512")]
    found = {each: measured(CASES[each[0]], each[1], asked.audits) for each in names}
    text = "\n".join(document(found, torch_loop()))
    print(text)
    (asked.output / "step-costs.md").write_text(text + "\n", encoding="utf-8")
    return 0


class Loop(NamedTuple):
    """What torch's loop took on the first model, as README.md records it."""

    milliseconds: float
    machine: str


def torch_loop() -> Loop:
    """Read the record."""
    record = json.loads((FOLDER / "speed.json").read_text(encoding="utf-8"))
    return Loop(1000 * float(record["seconds"]["hidden 128"]["torch loop"]), record["machine"])


def measured(case: Case, audit: str, audits: int) -> dict[str, float]:
    """Return milliseconds of processor time of each step of an audit, and how many sessions and runs it makes."""
    run, found = AUDITS[audit](case, "cpu"), Counter[str]()
    run(0)
    originals = [(module, name, getattr(module, name)) for module, name, _ in STEPS]
    inference_session = onnxruntime.InferenceSession
    run(0)
    for module, name, call in originals:
        setattr(module, name, _timed(call, found, name))
    onnxruntime.InferenceSession = _counted(inference_session, found)
    own = time.thread_time()
    try:
        _timed(lambda: [run(0) for _ in range(audits)], found, "all")()
        found["own thread"] = 1000 * (time.thread_time() - own)  # type: ignore[assignment]  # counts milliseconds
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
    def counted(call: Callable[..., Any], name: str, *args: Any, **options: Any) -> Any:
        name += LANES if current_thread().name.startswith("dropaudit-lane") else ""
        start = time.thread_time()
        try:
            return call(*args, **options)
        finally:
            found[f"{name}, ms"] += 1000 * (time.thread_time() - start)  # type: ignore[assignment]
            found[name] += 1

    class Counted(kind):  # type: ignore[misc]  # the runtime's session
        def __init__(self, *args: Any, **options: Any) -> None:
            counted(super().__init__, "sessions", *args, **options)

        def run(self, *args: Any, **options: Any) -> Any:
            return counted(super().run, "runs", *args, **options)

    return Counted


Found = Mapping[tuple[str, str], Mapping[str, float]]


def document(found: Found, loop: Loop) -> Iterator[str]:
    """Yield the tables as Markdown."""
    first = {name: costs for (name, audit), costs in found.items() if audit == "first"}
    yield "# Where the time from bytes to verdict goes"
    yield ""
    device = f"{choose(Provider.CPU).device}, {cores()} cores"
    yield f"Written by `benchmarks/step_costs.py`: milliseconds of processor time, of all threads together; {device}."
    yield ""
    yield from _table("step", first, {step: name for _, name, step in (*STEPS, (whole, "all", "all"))})
    for name in ("sessions", "runs"):
        yield f"| {name} | {' | '.join(f'{_number(costs, name):.0f}' for costs in first.values())} |"
    yield ""
    yield "What of it is the runtime's own, in the first audit of a model and in the next:"
    yield ""
    columns = {f"{name}, {audit}": _with_rest(costs) for (name, audit), costs in found.items()}
    rows = {label: f"{name}, ms" for name, label in RUNTIME.items()}
    rows |= {"Python and numpy, in the audit's thread": "rest", "Python and numpy, in threads": f"rest{LANES}"}
    yield from _table("part", columns, {**rows, "all": "all"})
    for audit, share in AIMS.items():
        yield ""
        yield _left(_with_rest(found["hidden 128", audit]), audit, loop, share)


def _table(head: str, columns: Mapping[str, Mapping[str, float]], rows: Mapping[str, str]) -> Iterator[str]:
    yield f"| {head} | {' | '.join(columns)} |"
    yield f"|---|{'---:|' * len(columns)}"
    for label, name in rows.items():
        yield f"| {label} | {' | '.join(f'{costs.get(name, 0.0):.1f}' for costs in columns.values())} |"


def _number(costs: Mapping[str, float], name: str) -> float:
    return costs.get(name, 0.0) + costs.get(f"{name}{LANES}", 0.0)


def _with_rest(costs: Mapping[str, float]) -> dict[str, float]:
    """Add what is not the runtime's: in the audit's own thread, and in those that draw and read replicates."""
    runtime, lanes = (_runtime(costs, where) for where in ("", LANES))
    own = costs["own thread"]
    return {**costs, "rest": own - runtime, f"rest{LANES}": costs["all"] - own - lanes}


def _runtime(costs: Mapping[str, float], where: str) -> float:
    return sum(costs.get(f"{name}{where}, ms", 0.0) for name in ("sessions", "runs"))


def _left(costs: Mapping[str, float], audit: str, loop: Loop, share: int) -> str:
    """Say what the runtime leaves of a time that is aimed at, and what the rest takes."""
    aim, number = loop.milliseconds / share, cores()
    runtime = _runtime(costs, "") + _runtime(costs, LANES) / number
    rest = costs["rest"] + costs[f"rest{LANES}"] / number
    return (
        f"Torch's loop takes {loop.milliseconds:.1f} ms (README.md; {loop.machine}), and 1/{share} of that is "
        f"{aim:.1f} ms. Where {number} cores share what is done in threads and all else follows each other, the "
        f"runtime alone takes {runtime:.1f} ms of the {audit} audit of hidden 128. That leaves {aim - runtime:.1f} ms "
        f"for the rest, which takes {rest:.1f} ms."
    )


if __name__ == "__main__":
    sys.exit(main())
