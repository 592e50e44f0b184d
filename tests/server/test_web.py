"""Claims about the dashboard without a browser: who gets in, and what an answer may do."""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc
import pytest
import redis

from dropaudit_client.local.service import free_port
from dropaudit_formats.writing import MEDIA_TYPES, Form
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub
from dropaudit_server.interceptors.tokens import Scope, hash_of
from dropaudit_server.web.sessions import MOST_SESSIONS, SESSION_SECONDS, Sessions
from dropaudit_store.audits.creation import AuditToCreate
from dropaudit_store.audits.lifecycle import AuditStore
from support.calls import recorded_request
from support.handwork import succeed
from support.services import dashboard, environment, process

PAGES = [
    "/",
    "/models",
    "/models/contents",
    "/models/named?name=none",
    "/suites",
    "/audits/none",
    "/audits/none/report",
    "/suites/none",
    "/suites/none/runs/none",
    "/suites/none/runs/none/report",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a server."""

    status: int
    headers: Message
    text: str


def asked(url: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
    """Ask once, and follow no redirection."""
    parts = urllib.parse.urlsplit(url)
    body = None if form is None else urllib.parse.urlencode(form)
    kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
    with closing(HTTPConnection(parts.netloc, timeout=10)) as connection:
        connection.request("GET" if form is None else "POST", url.split(parts.netloc)[1], body, {**kind, **headers})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode())


def write_tokens(path: Path, **secrets: str | None) -> None:
    """Write tokens that may read; an instant ends one."""
    tokens = [
        {"name": name, "sha256": hash_of(f"secret-{name}"), "scope": Scope.READ, **({"expires": end} if end else {})}
        for name, end in secrets.items()
    ]
    path.write_text(json.dumps({"tokens": tokens}))


@pytest.fixture(scope="module")
def open_site(shared_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL of a dashboard that asks for no token, and the address of its service."""
    with dashboard(shared_redis, tmp_path_factory.mktemp("web")) as found:
        yield found


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    write_tokens(path, reader=None, old=datetime(2020, 1, 1, tzinfo=UTC).isoformat())
    return path


@pytest.fixture(scope="module")
def guarded_site(shared_redis: str, tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a dashboard behind tokens."""
    with dashboard(shared_redis, tmp_path_factory.mktemp("guarded"), tokens_file=tokens) as (site, _):
        yield site


def logged_in(site: str, token: str) -> str:
    """Return the cookie of a new session."""
    answer = asked(f"{site}/login", {"token": token})
    assert answer.status == 303
    return str(answer.headers["Set-Cookie"])


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_every_page_leads_to_the_login(guarded_site: str, path: str) -> None:
    answer = asked(guarded_site + path)
    assert (answer.status, answer.headers["Location"]) == (303, "/login")
    assert answer.text == ""


def test_a_stream_of_events_is_refused_without_a_session(guarded_site: str) -> None:
    assert asked(f"{guarded_site}/audits/none/events").status == 401


@pytest.mark.parametrize("token", ["", "wrong", "secret-old", "\r\nSet-Cookie: a=b", "x" * 7000])
def test_a_token_that_may_not_read_begins_no_session(guarded_site: str, token: str) -> None:
    answer = asked(f"{guarded_site}/login", {"token": token})
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


def test_a_session_is_a_cookie_that_no_program_in_the_browser_sees(guarded_site: str) -> None:
    cookie = logged_in(guarded_site, "secret-reader")
    assert "secret" not in cookie
    assert {"HttpOnly", "SameSite=Strict", f"Max-Age={int(SESSION_SECONDS)}"} <= set(cookie.split("; "))
    assert asked(f"{guarded_site}/", Cookie=cookie.partition(";")[0]).status == 200


def test_a_session_ends_with_its_logout_and_with_its_token(guarded_site: str, tokens: Path) -> None:
    cookie = logged_in(guarded_site, "secret-reader").partition(";")[0]
    other = logged_in(guarded_site, "secret-reader").partition(";")[0]
    assert asked(f"{guarded_site}/logout", {}, Cookie=cookie).status == 303
    assert asked(f"{guarded_site}/", Cookie=cookie).status == 303
    assert asked(f"{guarded_site}/", Cookie=other).status == 200
    before = tokens.read_text()
    try:
        write_tokens(tokens, somebody=None)
        assert asked(f"{guarded_site}/", Cookie=other).status == 303
    finally:
        tokens.write_text(before)


@pytest.mark.parametrize("path", ["/", "/login", "/static/web.js", "/audits/none", "/nowhere"])
def test_every_answer_forbids_programs_and_frames_from_elsewhere(open_site: tuple[str, str], path: str) -> None:
    headers = asked(open_site[0] + path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_a_name_that_leads_here_by_a_strangers_doing_is_not_answered(open_site: tuple[str, str]) -> None:
    assert asked(f"{open_site[0]}/", Host="evil.example").status == 421
    assert asked(f"{open_site[0]}/", Host="localhost:1").status == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/audits/none", 404), ("/?filter=verdict+is+FAIL", 400), ("/?page=x", 400)]
)
def test_what_the_service_would_refuse_is_refused_in_a_sentence(
    open_site: tuple[str, str], path: str, status: int
) -> None:
    answer = asked(open_site[0] + path)
    assert answer.status == status
    assert 'role="alert"' in answer.text


def test_a_page_holds_fifty_audits_and_leads_to_the_next(open_site: tuple[str, str], redis_url: str) -> None:
    site, address = open_site
    with grpc.insecure_channel(address) as channel:
        stub = AuditServiceStub(channel)
        made = [stub.CreateAudit(recorded_request()).name for _ in range(60)]
    first = asked(f"{site}/").text
    assert [name for name in made if f'href="/{name}"' in first] == made[10:]
    following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = asked(site + following).text
    assert [name for name in made if f'href="/{name}"' in second] == made[:10]
    assert 'rel="next"' not in second


def test_the_report_of_an_audit_is_the_page_that_the_command_writes(
    open_site: tuple[str, str], redis_url: str, redis_client: redis.Redis
) -> None:
    site, address = open_site
    with grpc.insecure_channel(address) as channel:
        name = AuditServiceStub(channel).CreateAudit(recorded_request()).name
    assert asked(f"{site}/{name}/report").status == 409
    succeed(AuditStore(redis_client), name)
    answer = asked(f"{site}/{name}/report")
    assert answer.status == 200
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "DA301 was measured." in answer.text
    assert "How to confirm it by hand" in answer.text


@pytest.mark.parametrize("form", ["junit", "sarif", "markdown", "json"])
def test_the_report_of_an_audit_is_there_in_every_form(
    open_site: tuple[str, str], redis_url: str, redis_client: redis.Redis, form: str
) -> None:
    site, address = open_site
    with grpc.insecure_channel(address) as channel:
        name = AuditServiceStub(channel).CreateAudit(recorded_request()).name
    succeed(AuditStore(redis_client), name)
    answer = asked(f"{site}/{name}/report?form={form}")
    assert (answer.status, "DA301" in answer.text) == (200, True)
    assert answer.headers["Content-Type"] == MEDIA_TYPES[Form(form)]
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert asked(f"{site}/{name}/report?form=exe").status == 400


def test_ten_thousand_audits_are_listed_without_loading_them(
    open_site: tuple[str, str], redis_url: str, redis_client: redis.Redis
) -> None:
    site, address = open_site
    with grpc.insecure_channel(address) as channel:
        name = AuditServiceStub(channel).CreateAudit(recorded_request()).name
    store = AuditStore(redis_client)
    (record,) = store.get_many([name.partition("/")[2]])
    for _ in range(10):
        store.create_many([AuditToCreate(record.request)] * 1000)

    def commands() -> int:
        found: Any = redis_client.info("commandstats")
        return sum(each["calls"] for each in found.values())

    before = commands()
    first = asked(f"{site}/")
    cost = commands() - before
    assert first.text.count('<th scope="row">') == 50
    assert len(first.text) < 100_000
    # A few for each of the fifty audits of the page.
    assert cost < 400
    following = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert asked(site + following).text.count('<th scope="row">') == 50


def test_a_session_lasts_an_hour_and_the_oldest_ends_where_there_are_too_many() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    first = sessions.begin("a")
    assert sessions.token_of(first) == "a"
    now[0] = SESSION_SECONDS
    assert sessions.token_of(first) == ""
    names = [sessions.begin(str(number)) for number in range(MOST_SESSIONS + 1)]
    assert sessions.token_of(names[0]) == ""
    assert sessions.token_of(names[1]) == "1"
    assert len(set(names)) == len(names)


def test_nobody_is_let_in_everywhere_without_tokens(redis_url: str, tmp_path: Path) -> None:
    environ = environment(redis_url, tmp_path, listen=f"127.0.0.1:{free_port()}", web_listen=f"0.0.0.0:{free_port()}")
    log = tmp_path / "log"
    with process("server", [sys.executable, "-m", "dropaudit_server"], environ, log) as started:
        deadline = time.monotonic() + 30
        while started.exit_status() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert started.exit_status() == 2
    assert "refusing to serve the dashboard" in log.read_text()
