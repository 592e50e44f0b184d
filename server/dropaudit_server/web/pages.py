"""The pages: what the service's calls answer, as HTML."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from dropaudit.report import from_json
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import responses, suite_responses
from dropaudit_server.interceptors.access import PermissionDenied, TokenExpired, Unauthenticated
from dropaudit_server.requests import audit_requests as requests
from dropaudit_server.requests import names
from dropaudit_server.runs import responses as run_responses
from dropaudit_server.servicer import Handlers
from dropaudit_server.web.door import COOKIE, HEADERS, REPORT_POLICY, Door
from dropaudit_server.web.rendering import rendered, report_page
from dropaudit_server.web.sessions import SESSION_SECONDS, Sessions
from dropaudit_store.errors import NotFound

_PAGE_SIZE = 50
# A stream of events ends after so long: the browser comes again, and its token is looked at again.
_STREAM_SECONDS = 15.0


class Pages:
    """Answers requests, by the same parts as the gRPC service."""

    def __init__(self, parts: Handlers, door: Door, sessions: Sessions, *, is_secure: bool) -> None:
        self._parts = parts
        self._door = door
        self._sessions = sessions
        self._is_secure = is_secure

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered where."""
        return [
            web.get("/", self.audits),
            web.get("/audits/{id}", self.audit),
            web.get("/audits/{id}/report", self.report),
            web.get("/audits/{id}/events", self.events),
            web.get("/models", self.models),
            web.get("/suites", self.suites),
            web.get("/suites/{id}", self.suite),
            web.get("/login", self.login),
            web.post("/login", self.log_in),
            web.post("/logout", self.log_out),
        ]

    async def audits(self, request: web.Request) -> web.Response:
        """Answer a page of audits, newest first."""
        words = request.query.get("filter", "")
        asked = pb.ListAuditsRequest(filter=words, page_size=_PAGE_SIZE, page_token=request.query.get("page", ""))

        def listed() -> pb.ListAuditsResponse:
            query, page = requests.list_audits(asked)
            return responses.audits(*self._parts.audits.page(query, page.size, whole=page.whole), page)

        found = _plain(await asyncio.to_thread(listed))
        return _page("audits.html.j2", filter=words, audits=found["audits"], following=found["nextPageToken"])

    async def audit(self, request: web.Request) -> web.Response:
        """Answer one audit, which is followed while it runs."""
        audit_id = _id(request, "audits")
        found = await asyncio.to_thread(lambda: _plain(responses.audit(self._parts.audits.get(audit_id))))
        return _page("audit.html.j2", audit=found, id=audit_id)

    async def report(self, request: web.Request) -> web.Response:
        """Answer the report of an audit, as the page that the command writes."""
        audit_id = _id(request, "audits")
        record = await asyncio.to_thread(self._parts.audits.get, audit_id)
        if record.report is None:
            raise NotFound(f"audits/{audit_id} has no report")
        page = await asyncio.to_thread(report_page, from_json(record.report), f"audits/{audit_id}")
        return web.Response(text=page, content_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream the events of an audit, after the last one that the browser has seen."""
        audit_id = _id(request, "audits")
        last = request.headers.get("Last-Event-ID", "")
        await asyncio.to_thread(self._parts.audits.get, audit_id)
        answer = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await answer.write(b"retry: 1000\n\n")
        try:
            async with asyncio.timeout(_STREAM_SECONDS), aclosing(self._told(audit_id, last)) as told:
                async for content in told:
                    await answer.write(content)
        except (TimeoutError, ConnectionResetError):
            pass
        return answer

    async def _told(self, audit_id: str, last: str) -> AsyncGenerator[bytes, None]:
        after = int(last) if last.isdecimal() and len(last) < 16 else 0
        async for event in self._parts.follower.follow(audit_id, after):
            kind = event.WhichOneof("event") or "state"
            data = json.dumps({} if kind == "audit" else _plain(event))
            yield f"id: {event.sequence}\nevent: {kind}\ndata: {data}\n\n".encode()

    async def models(self, request: web.Request) -> web.Response:
        """Answer a page of models."""
        asked = pb.ListModelsRequest(page_size=_PAGE_SIZE, page_token=request.query.get("page", ""))
        page = requests.list_page(asked, "models")
        found = await asyncio.to_thread(
            lambda: _plain(responses.models(*self._parts.models.page(page.size, page.cursor), page))
        )
        return _page("models.html.j2", models=found["models"], following=found["nextPageToken"])

    async def suites(self, request: web.Request) -> web.Response:
        """Answer a page of suites."""
        asked = pb.ListSuitesRequest(page_size=_PAGE_SIZE, page_token=request.query.get("page", ""))
        page = requests.list_page(asked, "suites")
        found = await asyncio.to_thread(
            lambda: _plain(suite_responses.suites(self._parts.suites.page(page.size, page.cursor), page))
        )
        return _page("suites.html.j2", suites=found["suites"], following=found["nextPageToken"])

    async def suite(self, request: web.Request) -> web.Response:
        """Answer a suite with its newest runs."""
        suite_id = _id(request, "suites")
        asked = pb.ListRunsRequest(page_size=_PAGE_SIZE, page_token=request.query.get("page", ""))
        page = requests.list_page(asked, "runs", suite_id)

        def both() -> tuple[Any, Any]:
            suite = suite_responses.suite(*self._parts.suites.get(suite_id))
            runs = run_responses.runs(*self._parts.runs.page(suite_id, page.size, page.cursor, whole=page.whole), page)
            return _plain(suite), _plain(runs)

        suite, runs = await asyncio.to_thread(both)
        return _page("suite.html.j2", suite=suite, runs=runs["runs"], following=runs["nextPageToken"])

    async def login(self, request: web.Request) -> web.Response:
        """Answer the form that takes a token."""
        return _page("login.html.j2", refused="")

    async def log_in(self, request: web.Request) -> web.Response:
        """Trade a token for a session."""
        secret = str((await request.post()).get("token", "")).strip()
        try:
            self._door.check(secret)
        except (Unauthenticated, TokenExpired, PermissionDenied) as error:
            answer = _page("login.html.j2", refused=error.message)
            answer.set_status(403)
            return answer
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            COOKIE,
            self._sessions.begin(secret),
            max_age=int(SESSION_SECONDS),
            httponly=True,
            samesite="Strict",
            secure=self._is_secure,
        )
        return answer

    async def log_out(self, request: web.Request) -> web.Response:
        """End the session."""
        self._sessions.end(request.cookies.get(COOKIE, ""))
        answer = web.Response(status=303, headers={"Location": "/login"})
        answer.del_cookie(COOKIE)
        return answer


def _id(request: web.Request, collection: str) -> str:
    return names.resource_id(f"{collection}/{request.match_info['id']}", collection)


def _page(template: str, **values: Any) -> web.Response:
    return web.Response(text=rendered(template, **values), content_type="text/html")


def _plain(message: Message) -> dict[str, Any]:
    return MessageToDict(message, always_print_fields_with_no_presence=True)
