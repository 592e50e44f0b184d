"""A receiver of webhooks: a real HTTP server on loopback."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """What a receiver answers; `pause`: seconds between the bytes of an endless body, or header, where it is not 0."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    pause: float = 0.0
    in_header: bool = False


class HttpReceiver:
    """Keeps what it gets; answers are taken in order, the last one again and again."""

    def __init__(self, scheme: str, port: int, answers: list[Answer]) -> None:
        self.scheme, self.port, self.answers = scheme, port, answers
        self.received: list[Received] = []

    def url(self, host: str = "127.0.0.1", path: str = "/hook") -> str:
        """Return a URL of this receiver by another name of its host."""
        return f"{self.scheme}://{host}:{self.port}{path}"


@contextmanager
def receiving(*answers: Answer, tls: ssl.SSLContext | None = None) -> Iterator[HttpReceiver]:
    """Serve on a free port of loopback while inside."""
    receiver = HttpReceiver("https" if tls else "http", 0, list(answers) or [Answer()])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(receiver: HttpReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            try:
                self._answer(answer)
            except OSError:
                return

        def _answer(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not answer.in_header:
                self.end_headers()
            self.flush_headers()
            self.wfile.write(b"x-endless: " if answer.in_header else answer.body)
            end = time.monotonic() + 20
            while answer.pause and time.monotonic() < end:
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(answer.pause)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
