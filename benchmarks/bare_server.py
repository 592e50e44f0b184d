"""A grpc.aio server that answers an empty unary call and does nothing else: what benchmarks compare with."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc


async def main() -> None:
    """Serve on the address that the first argument names."""
    server = grpc.aio.server()

    async def empty(request: bytes, context: Any) -> bytes:
        return b""

    handler = grpc.unary_unary_rpc_method_handler(empty, bytes, bytes)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("benchmark.Empty", {"Call": handler}),))
    server.add_insecure_port(sys.argv[1])
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
