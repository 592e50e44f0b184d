"""Telemetry as operators collect it: metrics as Prometheus scrapes them, and a collector that takes traces."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from support.documents import ROOT


def _metrics(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def families(address: str) -> dict[str, tuple[str, set[str] | None]]:
    """Return the type and the labels of each metric, by the name that its samples have; None without a sample.

    When counters began is left out: Python's client tells it of every counter and histogram.
    """
    found = {}
    for each in text_string_to_metric_families(_metrics(address)):
        if not each.name.endswith("_created"):
            labels = {label for sample in each.samples for label in sample.labels} - {"le"}
            name = f"{each.name}_total" if each.type == "counter" else each.name
            found[name] = (each.type, labels if each.samples else None)
    return found


def documented_fields() -> set[str]:
    """Return the fields of logs that docs/observability.md explains."""
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    table = text.split("<!-- fields -->")[1].split("<!-- /fields -->")[0]
    firsts = re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)
    return {field for each in firsts for field in re.findall(r"`(\w+)`", each)}


def log_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log; all but Celery's goodbye, which it writes past any logger, must be JSON."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and "Warm shutdown" not in line]
    return [json.loads(line) for line in lines]


def scrape(address: str) -> dict[str, float]:
    text = _metrics(address)
    return {name: float(value) for name, value in re.findall(r"^(dropaudit_\S+) (\S+)$", text, re.MULTILINE)}


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes traces."""

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def Export(self, request: trace_service_pb2.ExportTraceServiceRequest, context: object) -> object:  # noqa: N802
        found = [span for each in request.resource_spans for scope in each.scope_spans for span in scope.spans]
        self.spans += found
        return trace_service_pb2.ExportTraceServiceResponse()


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """Take traces while inside; yields the collector and its URL."""
    taking = grpc.server(ThreadPoolExecutor(2))
    found = Collector()
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(found, taking)
    port = taking.add_insecure_port("127.0.0.1:0")
    taking.start()
    yield found, f"http://127.0.0.1:{port}"
    taking.stop(None).wait()
