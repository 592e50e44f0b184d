"""`python -m dropaudit_chaos.load.endurance`: the memory of one worker over thousands of audits of many models."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from dropaudit.plan import Plan, Provider, Role
from dropaudit_chaos.machine import machine
from dropaudit_chaos.parts import Service, serving
from dropaudit_chaos.work import many_models
from dropaudit_client import AuditClient
from dropaudit_client.resources import ArtifactRef, NewAudit, Priority
from dropaudit_store.redis.connection import key

_STEP = 1000
_LONGEST_STEP_SECONDS = 900.0
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory after so many audits, in MiB."""

    audits: int
    sandbox: float
    parent: float
    sandbox_pid: int


def main() -> int:
    """Measure, print and write; 1 when the sandbox has grown by more than a tenth since the first thousand audits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audits", type=int, default=10_000)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument(
        "--recycle", type=int, default=0, help="audits after which a sandbox makes room for another; 0: never"
    )
    parser.add_argument("--output", type=Path, help="folder for endurance.json and endurance.md")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        samples = measure(given.audits, given.models, given.recycle, Path(folder))
    seconds = time.monotonic() - began
    text = table(samples, given.models, given.recycle, seconds)
    print(text)
    if given.output:
        record = {"machine": machine(), "models": given.models, "recycle": given.recycle, "seconds": seconds}
        record["samples"] = list(map(asdict, samples))
        (given.output / "endurance.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (given.output / "endurance.md").write_text(text + "\n", encoding="utf-8")
    return 0 if growth(samples) <= 0.1 else 1


def measure(audits: int, models: int, recycle: int, folder: Path) -> list[Sample]:
    """Have one worker of one child make audits of all models in turn, and look at its memory after each thousand."""
    samples = []
    settings = {"concurrency": 1, "audits_per_sandbox": recycle, "announce_seconds": 600, "log_level": "WARNING"}
    with serving(folder, 1, **settings) as service, AuditClient(service.address) as client:
        names = [client.upload_model(content).name for content in many_models(models)]
        for start in range(0, audits, _STEP):
            client.create_audits(
                [
                    NewAudit(
                        ArtifactRef(names[number % models], Role.TRAIN),
                        Plan(seed=number, provider=Provider.CPU, max_replicates=256),
                        priority=Priority.BATCH,
                    )
                    for number in range(start, min(start + _STEP, audits))
                ]
            )
            _await_the_end(service)
            samples.append(_look(service, min(start + _STEP, audits)))
            print(samples[-1], file=sys.stderr, flush=True)
    return samples


def _await_the_end(service: Service) -> None:
    end = time.monotonic() + _LONGEST_STEP_SECONDS
    while service.client.zcard(key("queued")) + service.client.zcard(key("running")):
        if time.monotonic() > end:
            raise TimeoutError("the worker does not come to an end")
        time.sleep(0.2)


def _look(service: Service, audits: int) -> Sample:
    (sandbox,) = service.workers[0].sandboxes()
    return Sample(audits, _resident(sandbox), _resident(psutil.Process(service.workers[0].pid)), sandbox.pid)


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / _MEBIBYTE


def growth(samples: list[Sample]) -> float:
    """Return by how much the sandbox has grown since the first sample, as a share."""
    return samples[-1].sandbox / samples[0].sandbox - 1


def table(samples: list[Sample], models: int, recycle: int, seconds: float) -> str:
    """Return the samples as Markdown."""
    recycling = f"a new sandbox after {recycle} audits" if recycle else "no recycling: one sandbox made them all"
    lines = [
        "# Endurance",
        "",
        f"{machine()}. One worker of one child makes {samples[-1].audits} audits of {models} models in turn, through "
        f"the whole service, in {seconds:.0f} s; {recycling}. Resident memory, in MiB.",
        "",
        "| audits | sandbox | parent |",
        "|---|---|---|",
        *(f"| {each.audits} | {each.sandbox:.1f} | {each.parent:.1f} |" for each in samples),
        "",
        f"Since the first {samples[0].audits} the sandbox has grown by {growth(samples):+.1%}, in "
        f"{len({each.sandbox_pid for each in samples})} process(es).",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
