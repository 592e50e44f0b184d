"""Claims about the trace that calls belong to."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry import trace

from dropaudit_client.tracing import trace_metadata

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_a_span_what_was_given_is_sent_and_otherwise_nothing() -> None:
    assert trace_metadata() == ()
    assert trace_metadata(GIVEN) == (("traceparent", GIVEN),)


def test_the_open_span_goes_before_what_was_given() -> None:
    context = trace.SpanContext(trace_id=7, span_id=9, is_remote=False, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(context)):
        assert trace_metadata(GIVEN) == (("traceparent", f"00-{7:032x}-{9:016x}-01"),)


@pytest.mark.slow
def test_a_program_without_opentelemetry_loads_none_of_it() -> None:
    script = (
        "import sys, dropaudit_client; from dropaudit_client.tracing import trace_metadata; trace_metadata();"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "[]\n"
