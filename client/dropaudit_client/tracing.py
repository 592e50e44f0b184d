"""The trace that calls belong to: that of the span which is open in the calling program, or one that was given."""

from __future__ import annotations

import sys

from dropaudit_client.channel import Metadata

_HEADER = "traceparent"


def trace_metadata(given: str = "") -> Metadata:
    """Return what tells the service of a trace.

    A program that has no OpenTelemetry loaded has no span open: nothing is imported for it.

    Args:
        given: the W3C traceparent to send where no span is open; empty for none.
    """
    found = (_open_span() if "opentelemetry.trace" in sys.modules else "") or given
    return ((_HEADER, found),) if found else ()


def _open_span() -> str:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers.get(_HEADER, "")
