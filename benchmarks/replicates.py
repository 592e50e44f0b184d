"""What 1,000 replicates cost, against a loop of 1,000 plain ONNX Runtime runs in the same process.

Both work on LSTM(2 -> 128) with output dropout 0.5, batch 5, time 16, on the CPU provider. The loop only collects the
outputs' sums; dropaudit computes all statistics of its report. Rounds are interleaved; the ratio of medians is printed
and written to benchmarks/replicates.json.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.measure.make_case import make_case
from dropaudit.measure.prepare import prepare
from dropaudit.plan import Provider
from dropaudit.runtime.provider import choose, cpu_name, runtime_version
from dropaudit_models.spec import Layer, LSTMSpec, Wrapper
from dropaudit_models.twins import build

REPLICATES = 1000
ROUNDS = 7
UNITS, BATCH, STEPS = 128, 5, 16
RESULT = Path(__file__).parent / "replicates.json"


def contenders() -> dict[str, Callable[[], None]]:
    """Return what is timed, by name."""
    content = build(LSTMSpec(layers=(Layer(UNITS, Wrapper(output_keep_prob=0.5)),))).SerializeToString()
    x = np.random.default_rng(0).standard_normal((BATCH, STEPS, 2)).astype(np.float32)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    subject = ArtifactSubject(content, Role.TRAIN, {"x": x})
    plan = Plan(provider=Provider.CPU)
    place = choose(Provider.CPU)
    # One for each round, the one to warm up included: what is decided is not measured again.
    fresh = [prepare(make_case(subject, plan, place), plan, place) for _ in range(ROUNDS + 1)]

    def loop() -> None:
        total = np.zeros((BATCH, STEPS, UNITS))
        for _ in range(REPLICATES):
            total += session.run(["y"], {"x": x})[0]

    def replicates() -> None:
        prepared = fresh.pop()
        for _ in range(2):
            prepared.meters.add(prepared.drawing.sampler.draw(REPLICATES // 2, prepared.meters.wanted()))

    def verdict() -> None:
        audit(subject, plan)

    return {"ORT loop": loop, "dropaudit, 1,000 replicates": replicates, "dropaudit, bytes to verdict": verdict}


def measure() -> dict[str, float]:
    """Return the median seconds of each contender over interleaved rounds, after one round to warm up."""
    timed = contenders()
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for number in range(ROUNDS + 1):
        for name, run in timed.items():
            start = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> int:
    """Measure, print and write."""
    medians = measure()
    base = medians["ORT loop"]
    print(f"{cpu_name()}, {runtime_version()}, median of {ROUNDS} rounds")
    for name, value in medians.items():
        print(f"{name:<30} {value * 1000:9.1f} ms   {value / base:6.2f} of the ORT loop")
    result = {"machine": cpu_name(), "runtime": runtime_version(), "rounds": ROUNDS, "seconds": medians}
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
