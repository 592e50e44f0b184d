"""Spans, sent by OpenTelemetry's protocol where an endpoint is configured, for server and workers alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from dropaudit.errors import InvalidArgument

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_HEADER = "traceparent"
# How long spans wait for others before they are sent.
_DELAY_MILLISECONDS = 1000


def plain_trace(traceparent: str) -> str:
    """Return a W3C traceparent, or an empty text when it is malformed."""
    return traceparent if _TRACEPARENT.fullmatch(traceparent) else ""


def trace_id(traceparent: str) -> str:
    """Return the id of the trace that a traceparent belongs to, as logs tell it; empty when it is malformed."""
    return traceparent.split("-")[1] if plain_trace(traceparent) else ""


def require_tracing(endpoint: str) -> None:
    """Raise InvalidArgument where spans are to be sent and OpenTelemetry is not installed."""
    if endpoint and find_spec("opentelemetry") is None:
        raise _missing()


def _missing() -> InvalidArgument:
    return InvalidArgument(
        "DROPAUDIT_OTLP_ENDPOINT needs OpenTelemetry; install dropaudit[tracing]", field="otlp_endpoint"
    )


class Tracer:
    """Makes spans of one service. Threads send them: it is made in the process that uses it.

    Raises:
        InvalidArgument: OpenTelemetry is not installed.
    """

    def __init__(self, service: str, endpoint: str) -> None:
        # Imported here: who does not configure traces needs none of it.
        try:
            from opentelemetry import propagate, trace
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise _missing() from error
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        exporter = OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"))
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=_DELAY_MILLISECONDS))
        self._tracer = self._provider.get_tracer("dropaudit")
        self._propagate: Any = propagate
        self._trace: Any = trace

    def start(self, name: str, kind: str, parent: Mapping[str, str]) -> Any:
        """Begin a span, SERVER or CONSUMER, as a child of what headers name."""
        kinds = self._trace.SpanKind
        return self._tracer.start_span(name, context=self._propagate.extract(dict(parent)), kind=kinds[kind])

    def start_below(self, name: str, kind: str, traceparent: str) -> Any:
        """Begin a span as a child of another one, which may be none."""
        return self.start(name, kind, {_HEADER: traceparent} if traceparent else {})

    def record(self, name: str, start: int, end: int, traceparent: str) -> None:
        """Tell of what has ended, in nanoseconds since the epoch, as a child of a span."""
        context = self._propagate.extract({_HEADER: traceparent})
        self._tracer.start_span(name, context=context, start_time=start).end(end_time=end)

    def traceparent(self, span: Any) -> str:
        """Return what names a span to others."""
        headers: dict[str, str] = {}
        self._propagate.inject(headers, context=self._trace.set_span_in_context(span))
        return headers.get(_HEADER, "")

    def fail(self, span: Any, why: str) -> None:
        """Note that what a span stands for went wrong."""
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, why))

    def flush(self, seconds: float) -> None:
        """Send what waits."""
        self._provider.force_flush(int(seconds * 1000))

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()
