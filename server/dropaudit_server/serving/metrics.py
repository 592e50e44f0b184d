"""Numbers for Prometheus: calls and watchers, and what the store counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.registry import Collector

from dropaudit_server.interceptors.call import Call

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)


class Metrics:
    """Metrics of calls.

    Args:
        watchers: how many watch audits now.
        stored: collects what the store counts.
    """

    def __init__(self, watchers: Callable[[], int], stored: Collector) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter("dropaudit_calls", "Calls that ended", ["method", "code"], registry=self.registry)
        self._seconds = Histogram(
            "dropaudit_call_seconds", "How long calls took", ["method"], buckets=_BUCKETS, registry=self.registry
        )
        self._refused = Counter(
            "dropaudit_refusals",
            "Calls that were refused, by the reason that they were told",
            ["method", "reason"],
            registry=self.registry,
        )
        self._open = Gauge("dropaudit_calls_open", "Calls under way", ["method"], registry=self.registry)
        Gauge("dropaudit_watchers", "Watchers of audits", registry=self.registry).set_function(watchers)
        build = Gauge("dropaudit_build_info", "Version of the server; always 1", ["version"], registry=self.registry)
        build.labels(version("dropaudit")).set(1)
        self.registry.register(stored)

    @contextmanager
    def observe(self, call: Call) -> Iterator[None]:
        """Count a call."""
        start = time.perf_counter()
        under_way = self._open.labels(call.name)
        under_way.inc()
        try:
            yield
        finally:
            under_way.dec()
            self._seconds.labels(call.name).observe(time.perf_counter() - start)
            self._calls.labels(call.name, call.code.name).inc()
            if call.reason:
                self._refused.labels(call.name, call.reason).inc()
