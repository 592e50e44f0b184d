"""One contender in a process of its own: reads what to time, line by line, and answers in seconds.

    contender.py NAME [--cuda]        then on stdin     {"case": {…}, "replicates": 1000}

The first time that a case is named it is made ready; what is timed is what somebody waits for who asks again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from cases import Case

Run = Callable[[int], None]
CHUNK = 100
STATISTICS, VERDICT, SECOND = "dropaudit, all statistics", "dropaudit, bytes to verdict", "dropaudit, second audit"


def torch_loop(case: Case, device: str) -> Run:
    """Return what somebody writes first: one train-mode pass after the other, summed."""
    import torch

    module, x = _torch(case, device)

    def run(replicates: int) -> None:
        with torch.no_grad():
            total = torch.zeros((case.batch, case.time, case.hidden), device=device)
            squares = torch.zeros_like(total)
            for _ in range(replicates):
                y = module(x)
                total += y
                squares += y * y
        total.cpu(), squares.cpu()

    return run


def torch_tiled(case: Case, device: str) -> Run:
    """Return the same with the batch repeated."""
    import torch

    module, x = _torch(case, device)

    def run(replicates: int) -> None:
        with torch.no_grad():
            total = torch.zeros((case.batch, case.time, case.hidden), device=device)
            squares = torch.zeros_like(total)
            for start in range(0, replicates, CHUNK):
                count = min(CHUNK, replicates - start)
                y = module(x.repeat(count, 1, 1)).reshape(count, *total.shape)
                total += y.sum(0)
                squares += (y * y).sum(0)
        total.cpu(), squares.cpu()

    return run


def _torch(case: Case, device: str) -> tuple[Any, Any]:
    import torch

    class Dropped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(case.features, case.hidden, case.layers, batch_first=True, dropout=case.between)
            self.dropout = torch.nn.Dropout(case.output)

        def forward(self, x: Any) -> Any:
            return self.dropout(self.lstm(x)[0])

    return Dropped().to(device).train(), torch.from_numpy(case.inputs).to(device)


def ort_loop(case: Case, device: str) -> Run:
    """Return a loop of single runs of ONNX Runtime with Dropout kept; on the CPU its masks are correlated."""
    import onnxruntime

    if device == "cuda":
        onnxruntime.preload_dlls()
    provider = "CUDAExecutionProvider" if device == "cuda" else "CPUExecutionProvider"
    session = onnxruntime.InferenceSession(
        case.content(), providers=[provider], disabled_optimizers=["EliminateDropout"]
    )
    x = case.inputs

    def run(replicates: int) -> None:
        total = np.zeros((case.batch, case.time, case.hidden))
        squares = np.zeros_like(total)
        for _ in range(replicates):
            y = session.run(["y"], {"x": x})[0]
            total += y
            squares += y * y

    return run


def all_statistics(case: Case, device: str) -> Run:
    """Return all statistics of a report over so many replicates, for a model that is prepared."""
    from dropaudit.measure.cases.build_case import make_case
    from dropaudit.measure.prepare import make_meters, prepare
    from dropaudit.runtime.oom_fallback import FallbackSampler
    from dropaudit.runtime.provider import choose

    subject, plan = _asked(case, device)
    place = choose(plan.provider)
    made = make_case(subject, plan, place)
    prepared = prepare(made, plan, place)

    def run(replicates: int) -> None:
        meters = make_meters(made, prepared, plan)
        sampler = FallbackSampler(prepared.drawing.sampler(np.random.default_rng(0)), print_to_stderr)
        for _, take in sampler.pieces(replicates, meters.wanted(), meters.reader()):
            take()

    return run


def print_to_stderr(note: str) -> None:
    """Tell what was done for want of memory."""
    print(note, file=sys.stderr, flush=True)


def verdict(case: Case, device: str) -> Run:
    """Return an audit from the bytes of a model that was never seen."""
    from dropaudit import audit
    from dropaudit.audit_artifacts import CACHE

    subject, plan = _asked(case, device)

    def run(replicates: int) -> None:
        CACHE.clear()
        audit(subject, plan)

    return run


def second_audit(case: Case, device: str) -> Run:
    """Return an audit of a model that was audited just before."""
    from dropaudit import audit

    subject, plan = _asked(case, device)

    def run(replicates: int) -> None:
        audit(subject, plan)

    return run


def _asked(case: Case, device: str) -> tuple[Any, Any]:
    from dropaudit import ArtifactSubject, Plan, Role
    from dropaudit.plan import Provider
    from dropaudit.runtime.heap import keep_freed_memory

    keep_freed_memory()  # as the processes that make audits do
    return ArtifactSubject(case.content(), Role.TRAIN, {"x": case.inputs}), Plan(provider=Provider(device))


CONTENDERS: dict[str, Callable[[Case, str], Run]] = {
    "torch loop": torch_loop,
    "torch tiled": torch_tiled,
    "ORT loop": ort_loop,
    STATISTICS: all_statistics,
    VERDICT: verdict,
    SECOND: second_audit,
}


def main() -> None:
    """Answer until stdin ends."""
    make, device = CONTENDERS[sys.argv[1]], "cuda" if "--cuda" in sys.argv else "cpu"

    @cache
    def made(case: Case) -> Run:
        run = make(case, device)
        run(CHUNK)
        return run

    for line in sys.stdin:
        asked = json.loads(line)
        run = made(Case(**asked["case"]))
        start = time.perf_counter()
        run(asked["replicates"])
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
