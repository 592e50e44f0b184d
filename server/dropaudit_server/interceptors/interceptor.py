"""The interceptor around every call: it authenticates before any message is read, and maps errors to status codes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

import grpc
import structlog
from google.rpc import status_pb2
from grpc_status import rpc_status

from dropaudit.errors import AuditError
from dropaudit_server.interceptors.access import Access
from dropaudit_server.interceptors.call import Call, Observer, call_of
from dropaudit_server.interceptors.caller_limits import CallerLimits, CallKind
from dropaudit_server.interceptors.revocation import OpenStreams
from dropaudit_server.interceptors.status import internal_status, status_of
from dropaudit_server.interceptors.unreadable_requests import lenient, readable

Context = grpc.aio.ServicerContext[Any, Any]
Answer = Callable[[AsyncIterator[Any], Context], Awaitable[Any]]

# The traceparent of the call under way.
TRACE: ContextVar[str] = ContextVar("trace", default="")
# Name of the token of who makes the call under way; empty where there are no tokens.
CALLER: ContextVar[str] = ContextVar("caller", default="")

_log = structlog.get_logger(__name__)


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler: known errors by the table, others as INTERNAL with a line in the log.

    Every handler becomes one that asks for its messages itself. gRPC would receive and parse the message of a unary
    call first, however large and whoever sends it.
    """

    def __init__(
        self, access: Access, gate: CallerLimits, streams: OpenStreams, observers: Sequence[Observer] = ()
    ) -> None:
        self._access = access
        self._gate = gate
        self._streams = streams
        self._observers = observers

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        write = handler.response_serializer
        # The only message of a call is parsed when it is its turn.
        read = lenient(handler.request_deserializer) if handler.request_streaming else None
        if handler.response_streaming:
            return _STREAM_STREAM(_forgetting(self._streaming(handler, handler_call_details)), read, write)
        return _STREAM_UNARY(_forgetting(self._single(handler, handler_call_details)), read, write)

    def _single(self, handler: Any, details: grpc.HandlerCallDetails) -> Any:
        inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
        kind = CallKind.TRANSFERS if handler.request_streaming else CallKind.CALLS

        async def answer(messages: AsyncIterator[Any], context: Context) -> Any:
            async with self._around(call_of(details), kind, context) as call:
                if handler.request_streaming:
                    return await inner(readable(self._gate.each(call.caller, context.peer(), messages)), context)
                async with self._message(call, context, handler) as request:
                    return await inner(request, context)

        return answer

    def _streaming(self, handler: Any, details: grpc.HandlerCallDetails) -> Any:
        inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
        kind = CallKind.TRANSFERS if details.method.endswith(_TRANSFERS) else CallKind.STREAMS

        async def answer(messages: AsyncIterator[Any], context: Context) -> None:
            async with self._around(call_of(details), kind, context) as call:
                if handler.request_streaming:
                    await self._written(
                        inner(readable(self._gate.each(call.caller, context.peer(), messages)), context), context
                    )
                    return
                async with self._message(call, context, handler) as request:
                    await self._written(inner(request, context), context)

        return answer

    async def _written(self, answers: Any, context: Context) -> None:
        """Send what a handler yields; a coroutine sends its answers itself, as the health service does."""
        if not hasattr(answers, "__aiter__"):
            await answers
            return
        async for each in answers:
            await self._gate.written(context.write(each))

    @asynccontextmanager
    async def _message(self, call: Call, context: Context, handler: Any) -> AsyncIterator[Any]:
        parse = lenient(handler.request_deserializer)
        # Without tokens all connections together: each may be a new one of the same caller.
        async with self._gate.message(call.caller, context.peer(), context.read, parse) as message:
            # It may have been long in coming.
            self._access.check(call.method, call.metadata)
            yield readable(message)

    @asynccontextmanager
    async def _around(self, call: Call, kind: CallKind, context: Context) -> AsyncIterator[Call]:
        with _Observed(call, self._observers), self._streams.noted(call, kind is not CallKind.CALLS) as stream:
            try:
                call.caller = self._access.check(call.method, call.metadata)
                CALLER.set(call.caller)
                with self._gate.entered(call.caller or context.peer(), kind):
                    yield call
            except asyncio.CancelledError as error:
                await _abort(stream.refusal or error, context, call)
            except Exception as error:
                await _abort(error, context, call)


def _forgetting(answer: Answer) -> Answer:
    """Let a call that is refused forget its message at once.

    gRPC's context keeps the error, whose traceback keeps all that the call held, the context included: memory of the
    size of the message, until Python next looks for such circles.
    """

    async def answer_and_forget(messages: AsyncIterator[Any], context: Context) -> Any:
        try:
            return await answer(messages, context)
        except grpc.aio.AbortError as aborted:
            # From Python 3.13 on the traceback of what was raised first is a circle by itself.
            if aborted.__context__ is not None:
                aborted.__context__.__traceback__ = None
            aborted.__context__ = None
            raise aborted.with_traceback(None) from None
        finally:
            del messages, context

    return answer_and_forget


_TRANSFERS = ("/DownloadModel", "/RenderReport")
_STREAM_STREAM: Any = grpc.stream_stream_rpc_method_handler
_STREAM_UNARY: Any = grpc.stream_unary_rpc_method_handler


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


async def _abort(error: BaseException, context: Context, call: Call) -> NoReturn:
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
        call.reason = error.reason
        return status_of(error, call.request_id)
    _log.error("a call failed unexpectedly", method=call.method, request=call.request_id, exc_info=error)
    return internal_status(call.request_id)
