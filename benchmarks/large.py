"""`make bench-large`: what audits of large models take, in this process's children and over gRPC, into large.md.

Writes about 6 GiB of temporary files, and takes a quarter of an hour on two cores.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import psutil

from dropaudit.files.model_files import chunks_of
from dropaudit.graph.reading.load import read_artifact
from dropaudit.plan import Plan, Provider
from dropaudit_client import AuditClient
from dropaudit_client.local.service import running
from dropaudit_client.resources import ArtifactRef
from large_models import write_bert, write_lstm

_MEBIBYTE = 1 << 20
_LOOK_SECONDS = 0.1
# Kinds of processes by what their command lines hold, the first that fits.
_KINDS = {
    "dropaudit_worker.sandbox": "sandbox",
    "dropaudit_worker": "worker",
    "dropaudit_server": "server",
    "redis": "Redis",
    "valkey": "Redis",
}
_TABLE = Path(__file__).with_name("large.md")
_HEAD = """# Large models

Written by `make bench-large` ({cores} cores, onnxruntime on the CPU provider): a random LSTM of five layers with 4,096
units, whose 2.5 GiB of weights lie beside the graph, and twelve BERT-like layers with 37 dropout sites in one file.
*In one process* is `dropaudit run`, with its seconds of processor time; *over gRPC* is upload, audit and report through
a service of this machine, whose processes are the rows after it. Peak is the largest resident memory of the processes
of a kind, and of all at one time; pages that a process shares with others count in each. The aim is three times the
model's bytes beside a bounded working set, and 20 s for the BERT-like model on two cores.

| model | MiB | how | seconds | verdict | process | peak MiB | times the model |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What one process took."""

    model: Path
    size: int
    how: str
    seconds: float
    verdict: str
    process: str
    peak: int

    def __str__(self) -> str:
        size, peak = self.size / _MEBIBYTE, self.peak / _MEBIBYTE
        return (
            f"| {self.model.name} | {size:,.0f} | {self.how} | {self.seconds:.1f} | {self.verdict} | {self.process} | "
            f"{peak:,.0f} | {peak / size:.2f} |"
        )


def main(only: Sequence[str]) -> None:
    """Measure each model, or those named, and write the table; rows of others stay, and so do remarks below it."""
    rows: list[str] = []
    before = _TABLE.read_text(encoding="utf-8").splitlines()
    for name, write in {"lstm": _lstm, "bert": _bert}.items():
        if only and name not in only:
            rows += [line for line in before if line.startswith(f"| {name}.onnx |")]
        else:
            rows += map(str, _measured(write))
    last = max(number for number, line in enumerate(before) if line.startswith("|"))
    text = [_HEAD.format(cores=os.cpu_count()) + "\n".join(rows), *before[last + 1 :]]
    _TABLE.write_text("\n".join(text) + "\n", encoding="utf-8")
    print(*rows, sep="\n")


def _measured(write: Callable[[Path], Path]) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="dropaudit-large-") as folder:
        # The peak of a process counts what the one that started it has held: the model is written by another.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            path = pool.submit(write, Path(folder)).result()
        return [_locally(path), *_served(path, Path(folder) / "service")]


def _lstm(folder: Path) -> Path:
    return write_lstm(folder, layers=5, hidden=4096, rate=0.5)


def _bert(folder: Path) -> Path:
    path = write_bert(folder)
    path.write_bytes(b"".join(chunks_of(read_artifact(path))))
    path.with_name("bert.onnx.data").unlink()
    return path


def _size(path: Path) -> int:
    return sum(each.stat().st_size for each in path.parent.iterdir() if each.is_file())


def _locally(path: Path) -> Row:
    command = [sys.executable, "-m", "dropaudit_client", "run", "--provider", "cpu", str(path)]
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    verdict = said.split(maxsplit=1)[0] if said else "none"
    seconds = time.monotonic() - start
    how = f"in one process (processor {usage.ru_utime + usage.ru_stime:.1f})"
    return Row(path, _size(path), how, seconds, verdict, "dropaudit", usage.ru_maxrss << 10)


def _served(path: Path, folder: Path) -> Iterator[Row]:
    with running(dict(os.environ), folder) as service, _peaks() as peaks, AuditClient(service.address) as client:
        start = time.monotonic()
        model = client.upload_model(path)
        uploaded = time.monotonic() - start
        report = client.audit(ArtifactRef(model.name), Plan(provider=Provider.CPU))
        seconds = time.monotonic() - start
    how = f"over gRPC (upload {uploaded:.1f})"
    for process, peak in sorted(peaks.items(), key=lambda each: -each[1]):
        yield Row(path, _size(path), how, seconds, report.verdict.value.upper(), process, peak)


@contextmanager
def _peaks() -> Iterator[dict[str, int]]:
    """Yield the largest resident memory of this process's descendants by kind, and of it, until the block ends."""
    found: dict[str, int] = {}
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(_LOOK_SECONDS):
            now = dict(_resident())
            for kind, size in {**now, "all at one time": sum(now.values())}.items():
                found[kind] = max(found.get(kind, 0), size)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        is_over.set()
        watcher.join()


def _resident() -> Iterator[tuple[str, int]]:
    """Yield kinds of processes, those of a kind together, with their resident memory."""
    own = psutil.Process()
    found = {"client": own.memory_info().rss}
    for child in own.children(recursive=True):
        with suppress(psutil.Error):
            line = " ".join(child.cmdline())
            kind = next((kind for word, kind in _KINDS.items() if word in line), "worker and beat")
            found[kind] = found.get(kind, 0) + child.memory_info().rss
    yield from found.items()


if __name__ == "__main__":
    main(sys.argv[1:])
