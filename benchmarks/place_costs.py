"""Cost of an audit on the CPU and on a GPU, by what the model computes: `auto` is fitted to this table.

place_costs.py [--devices cpu,cuda] [--seconds 80] [--output FOLDER]     measures, into place-costs.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cases import Case
from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.audit_artifacts import CACHE
from dropaudit.graph.facts.compute_estimate import Work, work_of
from dropaudit.graph.reading.load import parse_model
from dropaudit.plan import Provider
from dropaudit.runtime.device_costs import Cost, predicted
from dropaudit.runtime.provider import choose, cores

FOLDER = Path(__file__).parent
_ROUNDS = 2
CASES = [
    Case(hidden=hidden, layers=layers, between=0.3 if layers > 1 else 0.0, batch=batch, time=steps, features=features)
    for batch, steps, features in ((5, 16, 2), (16, 32, 16), (64, 64, 64), (64, 128, 256))
    for layers in (1, 2, 3)
    for hidden in (10, 64, 128, 256, 512, 1024)
]
# What the CPU is not asked for: it takes longer than anybody waits here.
_MOST_PRODUCTS = 4e9


def measured(devices: list[str], seconds: float) -> Iterator[dict[str, Any]]:
    """Yield a row for each case: the work of one run, and the seconds of an audit on each device."""
    end = time.monotonic() + seconds
    for case in sorted(CASES, key=lambda case: case.hidden * case.layers * case.batch * case.time):
        if time.monotonic() > end:
            return
        content = case.content()
        work = work_of(parse_model(content), {"x": case.inputs.shape})
        row: dict[str, Any] = {"case": asdict(case), "work": msgspec.structs.asdict(work)}
        for device in devices:
            if device == "cuda" or work.products < _MOST_PRODUCTS:
                row[device] = _timed(content, case, device)
        yield row


def _timed(content: bytes, case: Case, device: str) -> dict[str, float]:
    plan = Plan(provider=Provider(device))
    subject = ArtifactSubject(content, Role.TRAIN, {"x": case.inputs})
    best = None
    for _ in range(_ROUNDS):
        CACHE.clear()
        start = time.perf_counter()
        report = audit(subject, plan)
        took = {
            "seconds": time.perf_counter() - start,
            "prepare": report.execution.seconds.prepare,
            "run": report.execution.seconds.run,
            "replicates": float(report.execution.replicates),
        }
        best = took if best is None or took["seconds"] < best["seconds"] else best
    assert best is not None
    return best


def fitted(rows: Sequence[Mapping[str, Any]], device: str) -> Cost:
    """Return the costs that come nearest to what was measured, by the relative error; none is negative."""
    from scipy.optimize import nnls

    own = [row for row in rows if device in row]
    seconds = np.array([row[device]["seconds"] for row in own])
    work = np.array([[row["work"][name] for name in ("operators", "products", "elements")] for row in own])
    scale = work.max(axis=0)
    found, _ = nnls(work / scale / seconds[:, None], np.ones(len(own)))
    return Cost(*(float(each) for each in found / scale))


def regrets(rows: Sequence[Mapping[str, Any]], cores_beside: int) -> list[float]:
    """Return by how much the chosen place is slower than the better one, for each case that both have made."""
    found = []
    for row in rows:
        if "cpu" in row and "cuda" in row:
            seconds = predicted(Work(**row["work"]), cores_beside)
            chosen = min(seconds, key=lambda provider: seconds[provider]).value
            found.append(row[chosen]["seconds"] / min(row["cpu"]["seconds"], row["cuda"]["seconds"]))
    return found


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--devices", default="cpu,cuda")
    parser.add_argument("--seconds", type=float, default=80)
    parser.add_argument("--output", type=Path, default=FOLDER)
    parser.add_argument("--fit", action="store_true")
    asked = parser.parse_args()
    if asked.fit:
        table = json.loads((FOLDER / "place-costs.json").read_text(encoding="utf-8"))
        print(*(f"{device}: {fitted(table['rows'], device)}" for device in ("cpu", "cuda")), sep="\n")
        print(
            "slower than the better place:", sorted(round(each, 2) for each in regrets(table["rows"], table["cores"]))
        )
        return 0
    devices = asked.devices.split(",")
    machine = {device: choose(Provider(device)).device for device in devices}
    result: dict[str, Any] = {"machine": machine, "cores": cores(), "rows": []}
    for row in measured(devices, asked.seconds):
        result["rows"].append(row)
        print(
            row["case"], {device: round(row[device]["seconds"], 3) for device in devices if device in row}, flush=True
        )
        (asked.output / "place-costs.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
