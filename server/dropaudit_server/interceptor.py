"""What happens around every call: access is checked, errors become status codes, and observers are told."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import grpc
import structlog
from google.rpc import status_pb2
from grpc_status import rpc_status

from dropaudit.errors import AuditError
from dropaudit_server.access import Access
from dropaudit_server.reading import lenient, readable
from dropaudit_server.status import internal_status, status_of
from dropaudit_store.tracing import plain_trace

_REQUEST_ID = "x-request-id"
_LONGEST_REQUEST_ID = 128

# The traceparent of the call under way.
TRACE: ContextVar[str] = ContextVar("trace", default="")

_log = structlog.get_logger(__name__)


@dataclass
class Call:
    """One call; `code` and `caller` are known as it goes on. `trace` is the traceparent of whoever it works for."""

    method: str
    metadata: Mapping[str, str]
    request_id: str
    code: grpc.StatusCode = grpc.StatusCode.OK
    caller: str = ""
    trace: str = ""

    @property
    def name(self) -> str:
        """Name of the method without its service."""
        return self.method.rpartition("/")[2]


class Observer(Protocol):
    """Looks at calls from before they begin until after they end."""

    def observe(self, call: Call) -> AbstractContextManager[object]: ...


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler: known errors by the table, others as INTERNAL with a line in the log."""

    def __init__(self, access: Access, observers: Sequence[Observer] = ()) -> None:
        self._access = access
        self._observers = observers

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        if handler.response_streaming:
            inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
            wrapped: Any = self._streaming(inner, handler_call_details)
            make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else _UNARY_STREAM
        else:
            inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
            wrapped = self._single(inner, handler_call_details)
            make = grpc.stream_unary_rpc_method_handler if handler.request_streaming else _UNARY_UNARY
        return make(wrapped, lenient(handler.request_deserializer), handler.response_serializer)

    def _single(self, inner: Any, details: grpc.HandlerCallDetails) -> Any:
        async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            with self._observed(_call(details)) as call:
                try:
                    call.caller = self._access.check(call.method, call.metadata)
                    return await inner(readable(request), context)
                except (Exception, asyncio.CancelledError) as error:
                    await _abort(error, context, call)

        return answer

    def _streaming(self, inner: Any, details: grpc.HandlerCallDetails) -> Any:
        async def answer(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
            with self._observed(_call(details)) as call:
                try:
                    call.caller = self._access.check(call.method, call.metadata)
                    async for response in inner(readable(request), context):
                        yield response
                except (Exception, asyncio.CancelledError) as error:
                    await _abort(error, context, call)

        return answer

    def _observed(self, call: Call) -> _Observed:
        return _Observed(call, self._observers)


_UNARY_STREAM: Any = grpc.unary_stream_rpc_method_handler
_UNARY_UNARY: Any = grpc.unary_unary_rpc_method_handler


class _Observed:
    """A call with everybody who looks at it."""

    def __init__(self, call: Call, observers: Sequence[Observer]) -> None:
        self._call = call
        self._observers = observers
        self._stack = ExitStack()

    def __enter__(self) -> Call:
        for observer in self._observers:
            self._stack.enter_context(observer.observe(self._call))
        # For what the call causes; each call has a context of its own.
        TRACE.set(self._call.trace)
        return self._call

    def __exit__(self, *_: object) -> None:
        # Once the answer is on its way, since nobody but the observers waits for them. They are not told the error:
        # it has become the call's code.
        asyncio.get_running_loop().call_soon(self._stack.close)


def _call(details: grpc.HandlerCallDetails) -> Call:
    metadata = {key: value for key, value in details.invocation_metadata or () if isinstance(value, str)}
    given = metadata.get(_REQUEST_ID, "")[:_LONGEST_REQUEST_ID]
    trace = plain_trace(metadata.get("traceparent", ""))
    return Call(details.method, metadata, given or uuid.uuid4().hex, trace=trace)


async def _abort(error: BaseException, context: grpc.aio.ServicerContext[Any, Any], call: Call) -> NoReturn:
    if isinstance(error, asyncio.CancelledError):
        call.code = grpc.StatusCode.CANCELLED
        raise error
    if isinstance(error, grpc.aio.AbortError):
        call.code = grpc.StatusCode.UNKNOWN
        raise error
    rich = rpc_status.to_status(_status(error, call))
    call.code = rich.code
    await context.abort(rich.code, rich.details, rich.trailing_metadata)


def _status(error: BaseException, call: Call) -> status_pb2.Status:
    if isinstance(error, AuditError):
        return status_of(error, call.request_id)
    _log.error("a call failed unexpectedly", method=call.method, request=call.request_id, exc_info=error)
    return internal_status(call.request_id)
