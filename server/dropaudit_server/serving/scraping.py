"""Where Prometheus reads the metrics: over HTTP, with a token where one is asked for."""

from __future__ import annotations

import hmac
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import CollectorRegistry, make_wsgi_app

from dropaudit.errors import InvalidArgument
from dropaudit_server.serving.addresses import is_loopback

Answer = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_SECONDS = 10.0
_MOST_AT_A_TIME, _LONGEST_SECONDS = 16, 30.0

_log = structlog.get_logger(__name__)


@contextmanager
def served_metrics(
    registry: CollectorRegistry, address: str, token_file: str = "", *, longest: float = _LONGEST_SECONDS
) -> Iterator[None]:
    """Serve metrics while inside; nowhere when the address is empty.

    Args:
        longest: seconds after which a connection is ended, whatever comes.

    Raises:
        InvalidArgument: the address cannot be used, or the file with the token cannot be read.
    """
    if not address:
        yield
        return
    token = _token(token_file)
    if not token and not is_loopback(address):
        _log.warning(
            "anyone who can reach this address may read metrics; set DROPAUDIT_METRICS_TOKEN_FILE", address=address
        )
    server = _bound(address, _asking(make_wsgi_app(registry), token) if token else make_wsgi_app(registry))
    server.longest = longest
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    _log.info("serving metrics", address=address, token=bool(token))
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _token(path: str) -> str:
    if not path:
        return ""
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _bad_token(path) from error
    if not token:
        raise _bad_token(path)
    return token


def _bad_token(path: str) -> InvalidArgument:
    sentence = f"DROPAUDIT_METRICS_TOKEN_FILE {path} holds no token that can be read"
    return InvalidArgument(sentence, field="metrics_token_file")


def _asking(answer: Answer, token: str) -> Answer:
    """Return an application that answers those who bring the token."""
    expected = f"Bearer {token}".encode()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = str(environ.get("HTTP_AUTHORIZATION", "")).encode("latin-1", "replace")
        if hmac.compare_digest(given, expected):
            return answer(environ, start_response)
        start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Type", "text/plain")])
        return [b"send the token of DROPAUDIT_METRICS_TOKEN_FILE\n"]

    return application


def _bound(address: str, application: Answer) -> _Server:
    host, _, port = address.rpartition(":")
    server = _Server6 if ":" in host else _Server
    try:
        return make_server(host.strip("[]"), int(port), application, server, _Handler)
    except (OSError, ValueError, OverflowError) as error:
        sentence = f"cannot serve metrics on {address}; choose another DROPAUDIT_METRICS_LISTEN"
        raise InvalidArgument(sentence, field="metrics_listen") from error


class _Server(ThreadingMixIn, WSGIServer):
    """One thread a scrape, for so many at a time and for so long: whoever reaches the port may open any number."""

    daemon_threads = True
    # Of the few that the standard library lets wait, the next must knock again, seconds later.
    request_queue_size = 128
    longest = _LONGEST_SECONDS

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._free = threading.BoundedSemaphore(_MOST_AT_A_TIME)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, or close it where there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection until it ends, or its time is up: one may send a byte every few seconds."""
        end = threading.Timer(self.longest, _shut, [request])
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that is silent or gone."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    """Silent clients are disconnected; scrapes are not logged."""

    timeout = _SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        pass
