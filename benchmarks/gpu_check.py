"""Whether a GPU says what the CPU says: `make gpu-check`, in under three minutes.

Runs tests/gpu, audits with little memory, audits labelled models on the CPU, on CUDA and where `auto` puts them, and
some of them on CUDA through the whole service.
What does not end in its time is told; benchmarks/gpu-check.json keeps what did.

    gpu_check.py [--corpora FOLDER,…] [--seconds 170] [--devices cpu,cuda,auto] [--output FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures import TimeoutError as OutOfTime
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import asdict

from cases import Case
from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.errors import AuditError
from dropaudit.graph.facts.compute_estimate import Work
from dropaudit.measure.cases.device_choice import work_of_subject
from dropaudit.plan import Provider
from dropaudit.runtime.device_costs import predicted
from dropaudit.runtime.device_memory import limit_device_memory
from dropaudit.runtime.provider import choose
from gpu_service import through_the_service

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
_TESTS = 60.0
# Children that share the device, each with a runtime of its own.
_CHILDREN = 6
_LITTLE = 600 * 2**20
_SEED = 7
# They tell providers apart: how one draws, and equal seeds that give equal masks on one of them.
_ABOUT_PROVIDERS = frozenset({"DA404", "DA405"})


def main() -> int:
    """Check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--corpora", default="../shared/corpus,../shared/field")
    parser.add_argument("--seconds", type=float, default=170)
    parser.add_argument("--devices", default="cpu,cuda,auto")
    parser.add_argument("--output", type=Path, default=FOLDER)
    asked = parser.parse_args()
    end = time.monotonic() + asked.seconds
    devices = asked.devices.split(",")
    result: dict[str, Any] = {"tests": tests() if "cuda" in devices else "not run"}
    print(f"tests/gpu: {result['tests']}", flush=True)
    if "cuda" in devices:
        result["little memory"] = with_little_memory()
        print(f"with {_LITTLE >> 20} MiB: {result['little memory']}", flush=True)
    rows = [row for folder in asked.corpora.split(",") for row in labelled(Path(folder))]
    result["service"] = through_the_service(rows, "cuda" if "cuda" in devices else devices[0])
    print(f"service: {result['service']}", flush=True)
    found = list(audited(rows, devices, end))
    result |= {"asked": len(rows), "reached": len(found), **compared(found)}
    rows_told = ",\n".join(json.dumps(row) for row in found)
    text = f'{{"result": {json.dumps(result)},\n"rows": [\n{rows_told}\n]}}\n'
    (asked.output / "gpu-check.json").write_text(text, encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 1 if result["differ"] or (result["tests"] not in ("pass", "not run")) else 0


def tests() -> str:
    """Run the tests that need a GPU."""
    command = [sys.executable, "-m", "pytest", "-q", str(ROOT / "tests" / "gpu")]
    try:
        ended = subprocess.run(command, cwd=ROOT, timeout=_TESTS, capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired:
        return f"not ended in {_TESTS:.0f} s"
    return "pass" if ended.returncode == 0 else ended.stdout[-2000:]


def with_little_memory() -> dict[str, Any]:
    """Audit a model whose usual runs do not fit."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_with_little_memory).result(timeout=_TESTS)


def _with_little_memory() -> dict[str, Any]:
    limit_device_memory(_LITTLE)
    case = Case(features=256, hidden=1024, batch=64, time=128)
    start = time.perf_counter()
    report = audit(ArtifactSubject(case.content(), Role.TRAIN, {"x": case.inputs}), Plan(provider=Provider.CUDA))
    return {
        "verdict": report.verdict.value,
        "provider": report.execution.provider,
        "fallbacks": report.execution.fallbacks,
        "seconds": time.perf_counter() - start,
    }


def labelled(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the single artifacts of a labelled folder; none where there is no such folder."""
    labels = folder / "labels.json"
    for row in json.loads(labels.read_text(encoding="utf-8")) if labels.exists() else ():
        if not row.get("inference"):
            yield {**row, "folder": str(folder)}


def audited(rows: Sequence[dict[str, Any]], devices: Sequence[str], end: float) -> Iterator[dict[str, Any]]:
    """Audit each row on each device, in several processes, until the time is over; one that dies is replaced."""
    waiting = list(reversed(rows))

    def lane() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while waiting and time.monotonic() < end:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                found += _until_it_dies(pool, waiting, devices, end)
        return found

    with ThreadPoolExecutor() as lanes:
        for future in [lanes.submit(lane) for _ in range(min(_CHILDREN, os.cpu_count() or 1))]:
            yield from future.result()


def _until_it_dies(
    pool: ProcessPoolExecutor, waiting: list[dict[str, Any]], devices: Sequence[str], end: float
) -> Iterator[dict[str, Any]]:
    while waiting and time.monotonic() < end:
        row = waiting.pop()
        try:
            yield pool.submit(_audited, row, list(devices)).result(timeout=max(1.0, end - time.monotonic()))
        except BrokenProcessPool:
            yield {"file": row["file"], "role": row["role"], "ended its process": True}
            return
        except OutOfTime:
            for process in list(pool._processes.values()):
                process.kill()
            return


def _audited(row: dict[str, Any], devices: list[str]) -> dict[str, Any]:
    folder = Path(row["folder"])
    inputs = dict(np.load(folder / row["inputs"])) if row.get("inputs") else None
    subject = ArtifactSubject((folder / row["file"]).read_bytes(), Role(row["role"]), inputs)
    reports = {device: _report(subject, device) for device in devices}
    return {"file": row["file"], "role": row["role"], **_work(subject), **reports}


def _work(subject: ArtifactSubject) -> dict[str, Any]:
    try:
        return {"work": asdict(work_of_subject(subject, Plan(seed=_SEED)))}
    except AuditError:  # what cannot be audited has none
        return {}


def _report(subject: ArtifactSubject, device: str) -> dict[str, Any]:
    # What every process pays once is not the model's.
    choose(Provider(device))
    start = time.perf_counter()
    try:
        report = audit(subject, Plan(provider=Provider(device), seed=_SEED, max_replicates=20_000))
    except Exception as error:  # whatever it is, the other rows are still to be looked at
        return {"says": type(error).__name__, "seconds": time.perf_counter() - start}
    codes = sorted({finding.code for finding in report.findings} - _ABOUT_PROVIDERS)
    return {
        "says": " ".join([report.verdict.value, *codes]),
        "seconds": time.perf_counter() - start,
        "provider": report.execution.provider,
        "sampling": report.execution.sampling,
        "fallbacks": list(report.execution.fallbacks),
    }


def compared(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Say where the CPU and CUDA differ, how long they take, and how much later than the better one `auto` ends."""
    differ = [
        f"{row['file']} {row['role']}: {row['cpu']['says']} | {row['cuda']['says']}"
        for row in found
        if "cpu" in row and "cuda" in row and row["cpu"]["says"] != row["cuda"]["says"]
    ]
    died = [f"{row['file']} {row['role']}" for row in found if "ended its process" in row]
    told: dict[str, Any] = {"differ": differ, "ended their process": died}
    for device in ("cpu", "cuda", "auto"):
        seconds = [row[device]["seconds"] for row in found if device in row]
        if seconds:
            told[f"{device}, median s"] = statistics.median(seconds)
            told[f"{device}, longest s"] = max(seconds)
            told[f"{device}, together s"] = sum(seconds)
    if found_by_auto := regrets(found):
        told["auto, at most of the better place"] = max(found_by_auto)
    return told


def regrets(found: Sequence[Mapping[str, Any]], cores_beside: int = 0) -> list[float]:
    """Return how many times longer an audit takes where `auto` puts it than on the better of the CPU and CUDA.

    The shorter of two audits on one provider counts: the first pays for what is loaded once.

    Args:
        found: a row for each audited model.
        cores_beside: where `auto` would put it now, with so many cores, by the work of the row; 0: where it did.
    """
    ratios = []
    for row in found:
        made = [row[device] for device in ("cpu", "cuda", "auto") if row.get(device, {}).get("provider")]
        seconds = {
            provider: min(each["seconds"] for each in made if each["provider"] == provider)
            for provider in {each["provider"] for each in made}
        }
        if len(seconds) == 2 and "work" in row:
            chosen = row["auto"]["provider"]
            if cores_beside:
                times = predicted(Work(**row["work"]), cores_beside)
                chosen = min(times, key=lambda provider: times[provider]).value
            ratios.append(seconds[chosen] / min(seconds.values()))
    return ratios


if __name__ == "__main__":
    sys.exit(main())
