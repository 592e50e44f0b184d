"""Claims about what a call leaves in memory: not its message, whether it was answered or refused."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc
import pytest

from dropaudit_server.interceptors.access import Access
from dropaudit_server.interceptors.caller_limits import CallerLimits, CallLimits
from dropaudit_server.interceptors.interceptor import Interceptor
from dropaudit_server.interceptors.revocation import OpenStreams
from dropaudit_server.requests.violations import InvalidRequest

SERVICE = "test.Service"
CALLS = 5


class Message:
    """A message that can be looked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content


class Handlers:
    """A service of three calls, each of which refuses what says so; remembers messages weakly."""

    def __init__(self) -> None:
        self.seen: list[weakref.ref[Message]] = []

    def read(self, content: bytes) -> Message:
        message = Message(content)
        self.seen.append(weakref.ref(message))
        return message

    async def unary(self, request: Message, _: object) -> bytes:
        return self._answer(request)

    async def stream(self, request: Message, _: object) -> AsyncIterator[bytes]:
        yield self._answer(request)

    async def upload(self, requests: AsyncIterator[Message], _: object) -> bytes:
        return b"".join([self._answer(each) async for each in requests])

    def _answer(self, request: Message) -> bytes:
        if request.content == b"refused":
            raise InvalidRequest([("content", "is refused")])
        return b"done"

    def handler(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Unary": grpc.unary_unary_rpc_method_handler(self.unary, self.read),
                "Stream": grpc.unary_stream_rpc_method_handler(self.stream, self.read),
                "Upload": grpc.stream_unary_rpc_method_handler(self.upload, self.read),
            },
        )


@pytest.fixture(autouse=True)
def without_collections() -> Iterator[None]:
    """Let nothing be freed but what nobody refers to: circles wait for a collection."""
    gc.disable()
    yield
    gc.enable()


async def unary(channel: Any, content: bytes) -> list[bytes]:
    return [await channel.unary_unary(f"/{SERVICE}/Unary")(content)]


async def stream(channel: Any, content: bytes) -> list[bytes]:
    return [each async for each in channel.unary_stream(f"/{SERVICE}/Stream")(content)]


async def upload(channel: Any, content: bytes) -> list[bytes]:
    return [await channel.stream_unary(f"/{SERVICE}/Upload")(iter([content]))]


async def outcome(called: Awaitable[list[bytes]]) -> str:
    try:
        return b"".join(await called).decode()
    except grpc.aio.AioRpcError as error:
        return error.code().name


@pytest.mark.parametrize("call", [unary, stream, upload])
@pytest.mark.parametrize(("content", "ends"), [(b"answered", "done"), (b"refused", "INVALID_ARGUMENT")])
async def test_a_call_leaves_nothing_of_its_message_in_memory(
    call: Callable[..., Awaitable[list[bytes]]], content: bytes, ends: str
) -> None:
    access, handlers = Access(None), Handlers()
    server = grpc.aio.server(interceptors=[Interceptor(access, CallerLimits(CallLimits()), OpenStreams(access))])
    server.add_generic_rpc_handlers([handlers.handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            for _ in range(CALLS):
                assert await outcome(call(channel, content)) == ends
            async with asyncio.timeout(10):
                while any(each() is not None for each in handlers.seen):
                    await asyncio.sleep(0.01)
        assert len(handlers.seen) == CALLS
    finally:
        await server.stop(None)
