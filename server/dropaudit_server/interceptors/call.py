"""A call, as those see it who look at calls."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import grpc

from dropaudit_store.shared.spans import plain_trace

_REQUEST_ID = "x-request-id"
_LONGEST_REQUEST_ID = 128


@dataclass
class Call:
    """One call; `code`, `caller` and `reason`, why it was refused, are known as it goes on.

    `trace` is the traceparent of whoever it works for.
    """

    method: str
    metadata: Mapping[str, str]
    request_id: str
    code: grpc.StatusCode = grpc.StatusCode.OK
    caller: str = ""
    trace: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """Name of the method without its service."""
        return self.method.rpartition("/")[2]


class Observer(Protocol):
    """Looks at calls from before they begin until after they end."""

    def observe(self, call: Call) -> AbstractContextManager[object]: ...


def call_of(details: grpc.HandlerCallDetails) -> Call:
    """Return the call that a handler is looked for."""
    metadata = {key: value for key, value in details.invocation_metadata or () if isinstance(value, str)}
    given = metadata.get(_REQUEST_ID, "")[:_LONGEST_REQUEST_ID]
    trace = plain_trace(metadata.get("traceparent", ""))
    return Call(details.method, metadata, given or uuid.uuid4().hex, trace=trace)
