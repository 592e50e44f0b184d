"""A TCP proxy on loopback whose connections can be cut."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

_PIECE_BYTES = 1 << 16


class Proxy:
    """Passes connections on to a port of this machine, from a thread of its own."""

    def __init__(self, *ports: int) -> None:
        """Listen on a free port, for connections to the first of the ports that takes them."""
        self._ports = ports
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accepted, "127.0.0.1", 0), self._loop
        ).result()
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def lead_to(self, *ports: int) -> None:
        """Pass connections on to other ports, from the next one on."""
        self._ports = ports

    def cut(self) -> None:
        """Reset every connection."""
        self._loop.call_soon_threadsafe(self._cut)

    def close(self) -> None:
        """Stop listening and cut what is left."""
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._cut)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in self._ports:
            with suppress(OSError):
                there_reader, there = await asyncio.open_connection("127.0.0.1", port)
                break
        else:
            writer.transport.abort()
            return
        self._writers |= {writer, there}
        await asyncio.gather(_pass_on(reader, there), _pass_on(there_reader, writer))
        self._writers -= {writer, there}


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.transport.abort()
