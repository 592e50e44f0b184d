"""A line in the log for every call, and the call's id in every line that it causes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from dropaudit_server.interceptors.call import Call

_QUIET = ("/grpc.health.v1.Health/", "/grpc.reflection.")

_log = structlog.get_logger(__name__)


class CallLog:
    """Logs calls; those of probes at DEBUG."""

    @contextmanager
    def observe(self, call: Call) -> Iterator[None]:
        """Log the end of a call."""
        start = time.perf_counter()
        structlog.contextvars.bind_contextvars(request=call.request_id)
        try:
            yield
        finally:
            level = _log.debug if call.method.startswith(_QUIET) else _log.info
            milliseconds = round((time.perf_counter() - start) * 1000, 1)
            given = {"caller": call.caller} if call.caller else {}
            level("a call ended", method=call.name, code=call.code.name, milliseconds=milliseconds, **given)
            structlog.contextvars.unbind_contextvars("request")
