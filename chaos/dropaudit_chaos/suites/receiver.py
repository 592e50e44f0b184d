"""A receiver of webhooks, as somebody else would write it: it keeps what it gets and checks its signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A call that arrived: what it says, and whether its signature is right."""

    body: Mapping[str, Any]
    signed: bool

    @property
    def status(self) -> str:
        """What it says became of the run."""
        return str(self.body["run"]["comparison"]["status"])


class Receiver:
    """What arrived so far.

    Args:
        port: on loopback, where it listens.
        secret: the key of every signature.
    """

    def __init__(self, port: int, secret: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.calls: list[Call] = []
        self._secret = secret.encode()

    def take(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Keep a call."""
        self.calls.append(Call(json.loads(body), self._is_signed(body, headers)))

    def _is_signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Compute the signature as the Standard Webhooks specification says, by none of the sender's code."""
        signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
        digest = hmac.new(self._secret, signed, hashlib.sha256).digest()
        return headers.get("webhook-signature") == f"v1,{base64.b64encode(digest).decode()}"


@contextmanager
def receiving(secret: str) -> Iterator[Receiver]:
    """Receive on a free port of loopback while inside."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.take(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver = Receiver(server.server_port, secret)
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
