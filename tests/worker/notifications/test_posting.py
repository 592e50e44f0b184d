"""Claims about one attempt to post, against a real receiver on loopback."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
import trustme

from dropaudit_chaos.receivers import Answer, receiving
from dropaudit_worker.notifications import Dead, Delivered, Form, Limits, Message, Post, Receiver, Retry, message_for
from dropaudit_worker.notifications.posting import judged
from dropaudit_worker.notifications.signing import verify

MESSAGE = Message(b'{"type":"dropaudit.run"}', {"content-type": "application/json"})
POST = Post(allow_private=True)
PAYLOAD: dict[str, Any] = {"type": "dropaudit.run", "trigger": "ON_CHANGE", "run": {"name": "suites/s/runs/r"}}


class Names:
    """Answers for a name as DNS may: one address now, another one later."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


def test_a_message_is_posted_and_its_signature_holds() -> None:
    receiver = Receiver("", secret="whsec_c2VjcmV0", form=Form.JSON)
    now = time.time()
    with receiving() as server:
        assert POST(server.url(path="/hook?team=speech"), message_for(receiver, PAYLOAD, "d1", now)) == Delivered(
            "HTTP 204"
        )
    (received,) = server.received
    assert received.path == "/hook?team=speech"
    assert json.loads(received.body) == PAYLOAD
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == "d1"
    assert received.headers["host"] == f"127.0.0.1:{server.port}"
    assert verify(received.body, received.headers, "whsec_c2VjcmV0", now)


def test_without_a_secret_nothing_is_signed() -> None:
    with receiving() as server:
        POST(server.url(), message_for(Receiver(""), PAYLOAD, "d1", 1.0))
    assert not {name for name in server.received[0].headers if name.startswith("webhook-")}


def test_a_receiver_on_this_machine_is_refused_unless_it_is_allowed() -> None:
    with receiving() as server:
        for host in ("127.0.0.1", "localhost"):
            outcome = Post()(server.url(host), MESSAGE)
            assert isinstance(outcome, Dead)
            assert "where notifications may not go" in outcome.said
    assert server.received == []


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    """The name is in no DNS, and would point inside a moment later: neither is asked for again."""
    names = Names(["127.0.0.1"], ["10.255.255.1"])
    with receiving() as server:
        post = Post(allow_private=True, resolving=names)
        assert post(server.url("receiver.invalid"), MESSAGE) == Delivered("HTTP 204")
    assert names.asked == 1
    assert server.received[0].headers["host"] == f"receiver.invalid:{server.port}"


def test_a_name_with_one_address_inside_is_refused_before_anything_is_sent() -> None:
    with receiving() as server:
        post = Post(resolving=Names(["8.8.8.8", "127.0.0.1"]))
        assert isinstance(post(server.url("receiver.invalid"), MESSAGE), Dead)
    assert server.received == []


def test_an_address_that_does_not_answer_gives_way_to_the_next() -> None:
    with receiving() as server:
        post = Post(allow_private=True, resolving=Names(["127.0.0.2", "::1", "127.0.0.1"]))
        assert post(server.url("receiver.invalid"), MESSAGE) == Delivered("HTTP 204")


def test_redirects_are_not_followed() -> None:
    with receiving() as inside, receiving(Answer(307, {"location": inside.url()})) as server:
        outcome = POST(server.url(), MESSAGE)
    assert outcome == Dead("HTTP 307: redirects are not followed")
    assert inside.received == []


@pytest.mark.parametrize(
    ("status", "retry_after", "outcome"),
    [
        (200, None, Delivered("HTTP 200")),
        (202, None, Delivered("HTTP 202")),
        (302, None, Dead("HTTP 302: redirects are not followed")),
        (400, None, Dead("HTTP 400")),
        (404, None, Dead("HTTP 404")),
        (410, None, Dead("HTTP 410")),
        (408, None, Retry("HTTP 408")),
        (429, "30", Retry("HTTP 429", 30.0)),
        (503, "999999", Retry("HTTP 503", 3600.0)),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", Retry("HTTP 503")),
        (500, "-5", Retry("HTTP 500")),
    ],
)
def test_a_status_says_whether_it_is_worth_another_attempt(status: int, retry_after: str | None, outcome: Any) -> None:
    assert judged(status, retry_after) == outcome


@pytest.mark.parametrize(
    ("in_header", "outcome"), [(True, Retry("no answer within 0.5 seconds")), (False, Delivered("HTTP 200"))]
)
def test_a_receiver_that_answers_byte_by_byte_is_left_in_time(in_header: bool, outcome: Any) -> None:
    answer = Answer(200, {"content-length": "100000"}, pause=0.05, in_header=in_header)
    with receiving(answer) as server:
        start = time.monotonic()
        assert Post(allow_private=True, limits=Limits(seconds=0.5))(server.url(), MESSAGE) == outcome
        assert time.monotonic() - start < 10


def test_a_receiver_that_says_nothing_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outcome = Post(allow_private=True, limits=Limits(seconds=0.3))(f"http://127.0.0.1:{port}/", MESSAGE)
    assert outcome == Retry("no answer within 0.3 seconds")


def test_a_name_server_that_says_nothing_is_left_in_time() -> None:
    def slow(host: str, port: int) -> Sequence[str]:
        time.sleep(3)
        return ["127.0.0.1"]

    post = Post(allow_private=True, limits=Limits(seconds=0.3), resolving=slow)
    assert post("http://receiver.invalid/", MESSAGE) == Retry("no answer within 0.3 seconds")


def test_of_an_endless_answer_only_so_much_is_read() -> None:
    with receiving(Answer(200, body=b"x" * (8 << 20))) as server:
        assert Post(allow_private=True, limits=Limits(5, 1024))(server.url(), MESSAGE) == Delivered("HTTP 200")


def test_a_receiver_that_is_away_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = POST(f"http://127.0.0.1:{port}/", MESSAGE)
    assert isinstance(outcome, Retry)
    assert "refused" in outcome.said


def test_what_is_not_http_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=babble)
        thread.start()
        outcome = POST(f"http://127.0.0.1:{server.getsockname()[1]}/", MESSAGE)
        thread.join()
    assert isinstance(outcome, Retry)


def test_a_wrong_url_is_dead_at_once() -> None:
    assert isinstance(POST("ftp://example.com/", MESSAGE), Dead)


def contexts(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def test_tls_is_checked_against_the_name_though_the_connection_goes_to_an_address() -> None:
    authority = trustme.CA()

    def trusting() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    names = Names(["127.0.0.1"])
    with receiving(tls=contexts(authority, "receiver.invalid")) as server:
        trusted = Post(allow_private=True, resolving=names, tls=trusting)
        assert trusted(server.url("receiver.invalid"), MESSAGE) == Delivered("HTTP 204")
        other = trusted(server.url("another.invalid"), MESSAGE)
        assert isinstance(other, Retry)
        assert "certificate" in other.said.lower()
        assert isinstance(Post(allow_private=True, resolving=names)(server.url("receiver.invalid"), MESSAGE), Retry)
    assert len(server.received) == 1
