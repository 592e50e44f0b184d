"""Traces of calls, sent by OpenTelemetry's protocol when an endpoint is configured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dropaudit.errors import InvalidArgument
from dropaudit_server.interceptor import Call


class Traces:
    """Makes a span of each call, as a child of the caller's where it sends one.

    Raises:
        InvalidArgument: OpenTelemetry is not installed.
    """

    def __init__(self, endpoint: str) -> None:
        # Imported here: who does not configure traces needs none of it.
        try:
            from opentelemetry import propagate, trace
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise InvalidArgument(
                "DROPAUDIT_OTLP_ENDPOINT needs OpenTelemetry; install dropaudit[tracing]", field="otlp_endpoint"
            ) from error
        self._provider = TracerProvider(resource=Resource.create({"service.name": "dropaudit-server"}))
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("dropaudit")
        self._extract: Any = propagate.extract
        self._kind = trace.SpanKind.SERVER

    @contextmanager
    def observe(self, call: Call) -> Iterator[None]:
        """Make a span of a call."""
        parent = self._extract(dict(call.metadata))
        span = self._tracer.start_span(call.method.lstrip("/"), context=parent, kind=self._kind)
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
        self._provider.shutdown()
