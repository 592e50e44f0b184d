"""A line in the log for every call, and the ids of the call and of its trace in every line that it causes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from dropaudit_server.interceptors.call import Call
from dropaudit_store.shared.spans import trace_id

_QUIET = ("/grpc.health.v1.Health/", "/grpc.reflection.")

_log = structlog.get_logger(__name__)


class CallLog:
    """Logs calls; those of probes at DEBUG."""

    @contextmanager
    def observe(self, call: Call) -> Iterator[None]:
        """Log the end of a call."""
        start = time.perf_counter()
        trace = trace_id(call.trace)
        structlog.contextvars.bind_contextvars(request=call.request_id, **({"trace_id": trace} if trace else {}))
        try:
            yield
        finally:
            level = _log.debug if call.method.startswith(_QUIET) else _log.info
            milliseconds = round((time.perf_counter() - start) * 1000, 1)
            given = {"caller": call.caller} if call.caller else {}
            level("a call ended", method=call.name, code=call.code.name, milliseconds=milliseconds, **given)
            structlog.contextvars.unbind_contextvars("request", "trace_id")
