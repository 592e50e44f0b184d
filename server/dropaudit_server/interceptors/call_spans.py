"""Traces of calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dropaudit_server.interceptors.call import Call
from dropaudit_store.shared.spans import Tracer


class Traces:
    """Makes a span of each call, as a child of the caller's where it sends one.

    Raises:
        InvalidArgument: OpenTelemetry is not installed.
    """

    def __init__(self, endpoint: str) -> None:
        self._tracer = Tracer("dropaudit-server", endpoint)

    @contextmanager
    def observe(self, call: Call) -> Iterator[None]:
        """Make a span of a call."""
        span = self._tracer.start(call.method.lstrip("/"), "SERVER", call.metadata)
        call.trace = self._tracer.traceparent(span)
        service, _, method = call.method.lstrip("/").partition("/")
        span.set_attributes({"rpc.system": "grpc", "rpc.service": service, "rpc.method": method})
        span.set_attribute("dropaudit.request", call.request_id)
        try:
            yield
        finally:
            span.set_attribute("rpc.grpc.status_code", call.code.value[0])
            span.end()

    def close(self) -> None:
        """Send what is left."""
        self._tracer.close()
