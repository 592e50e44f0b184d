"""All pages, and the way in."""

from __future__ import annotations

from aiohttp import web

from dropaudit_formats.page.environment import program, style
from dropaudit_server.interceptors.access import PermissionDenied, TokenExpired, Unauthenticated
from dropaudit_server.servicer import Handlers
from dropaudit_server.web import answers
from dropaudit_server.web.audit_pages import AuditPages
from dropaudit_server.web.door import COOKIE, Door
from dropaudit_server.web.model_pages import ModelPages
from dropaudit_server.web.sessions import SESSION_SECONDS, Sessions
from dropaudit_server.web.suite_pages import SuitePages


class Pages:
    """Answers requests, by the same parts as the gRPC service."""

    def __init__(self, parts: Handlers, door: Door, sessions: Sessions, *, is_secure: bool) -> None:
        self._rooms = (AuditPages(parts), ModelPages(parts), SuitePages(parts))
        self._door = door
        self._sessions = sessions
        self._is_secure = is_secure

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            *(route for room in self._rooms for route in room.routes()),
            web.get("/static/shared.css", self.shared_style),
            web.get("/static/shared.js", self.shared_program),
            web.get("/login", self.login),
            web.post("/login", self.log_in),
            web.post("/logout", self.log_out),
        ]

    async def shared_style(self, request: web.Request) -> web.Response:
        """Answer the style of what reports show as well: tables of members, findings and trends."""
        return web.Response(text=style("findings.css", "run.css"), content_type="text/css")

    async def shared_program(self, request: web.Request) -> web.Response:
        """Answer the program that sorts and filters tables of members."""
        return web.Response(text=program("run.js"), content_type="text/javascript")

    async def login(self, request: web.Request) -> web.Response:
        """Answer the form that takes a token."""
        return answers.page("login.html.j2", refused="")

    async def log_in(self, request: web.Request) -> web.Response:
        """Trade a token for a session."""
        secret = str((await request.post()).get("token", "")).strip()
        try:
            self._door.check(secret)
        except (Unauthenticated, TokenExpired, PermissionDenied) as error:
            answer = answers.page("login.html.j2", refused=error.message)
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
