"""Claims about the port of metrics: whoever opens many connections takes few threads, and none for good."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack

import pytest
from prometheus_client import CollectorRegistry, Counter

from dropaudit_client.local.service import free_port
from dropaudit_server.serving import scraping
from dropaudit_server.serving.scraping import served_metrics
from support.services import eventually


def scraped(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return b"dropaudit_tests_total 1.0" in answer.read()
    except (OSError, urllib.error.URLError):
        return False


def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    Counter("dropaudit_tests", "of this file", registry=found).inc()
    return found


def silent(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    return [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]


def test_hundreds_of_silent_connections_take_few_threads_and_leave_them_when_they_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # On a busy machine two hundred connections take a while, and the first are not to be disconnected meanwhile.
    monkeypatch.setattr(scraping._Handler, "timeout", 600.0)
    port, before = free_port(), threading.active_count()
    with served_metrics(registry(), f"127.0.0.1:{port}", longest=600.0):
        with ExitStack() as stack:
            # Those that there are too many of are closed.
            ends = [each.recv(1) for each in silent(stack, port, 200)[16:]]
            assert ends == [b""] * 184
            # Each has one that serves it, and one that ends it in time.
            assert threading.active_count() - before <= 1 + 2 * 16
            assert not scraped(port)
        eventually(lambda: scraped(port), "nobody is served once they are gone")


def test_a_connection_that_sends_a_byte_now_and_then_is_ended() -> None:
    port = free_port()
    with served_metrics(registry(), f"127.0.0.1:{port}", longest=0.3), ExitStack() as stack:
        for each in silent(stack, port, 16):
            each.sendall(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
        eventually(lambda: scraped(port), "those that send slowly are served for ever")
