"""Turns errors of any call into status codes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
import structlog
from grpc_status import rpc_status

from dropaudit.errors import AuditError
from dropaudit_server.status import internal_status, status_of

_log = structlog.get_logger(__name__)


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler: known errors by the table, others as INTERNAL with a line in the log."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        if handler.response_streaming:
            inner = handler.stream_stream if handler.request_streaming else handler.unary_stream
            wrapped: Any = _streaming(inner, method)
            make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else _UNARY_STREAM
        else:
            inner = handler.stream_unary if handler.request_streaming else handler.unary_unary
            wrapped = _single(inner, method)
            make = grpc.stream_unary_rpc_method_handler if handler.request_streaming else _UNARY_UNARY
        return make(wrapped, handler.request_deserializer, handler.response_serializer)


_UNARY_STREAM: Any = grpc.unary_stream_rpc_method_handler
_UNARY_UNARY: Any = grpc.unary_unary_rpc_method_handler


def _single(inner: Any, method: str) -> Any:
    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await inner(request, context)
        except Exception as error:
            await _abort(error, context, method)

    return call


def _streaming(inner: Any, method: str) -> Any:
    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            async for response in inner(request, context):
                yield response
        except Exception as error:
            await _abort(error, context, method)

    return call


async def _abort(error: Exception, context: grpc.aio.ServicerContext[Any, Any], method: str) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, AuditError):
        status = status_of(error)
    else:
        _log.exception("a call failed unexpectedly", method=method)
        status = internal_status()
    rich = rpc_status.to_status(status)
    await context.abort(rich.code, rich.details, rich.trailing_metadata)
