"""Who may see a page: what every request passes on its way in, and every answer on its way out."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dropaudit.errors import AuditError
from dropaudit_server.interceptors.access import Access, PermissionDenied, TokenExpired, Unauthenticated
from dropaudit_server.interceptors.caller_limits import CallerLimits, CallKind, TooManyCalls
from dropaudit_server.reports.documents import ReportTooLarge
from dropaudit_server.requests.violations import InvalidRequest
from dropaudit_server.serving.addresses import is_loopback
from dropaudit_server.web.rendering import rendered
from dropaudit_server.web.sessions import Sessions
from dropaudit_store.errors import AuditNotFinished, NotFound

COOKIE = "dropaudit-session"
_READING = "/dropaudit.v1.AuditService/ListAudits"
_OPEN_PATHS = ("/login", "/static/")
_REFUSED = (Unauthenticated, TokenExpired, PermissionDenied)
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATUSES: Mapping[type[AuditError], int] = {
    NotFound: 404,
    InvalidRequest: 400,
    AuditNotFinished: 409,
    ReportTooLarge: 413,
    TooManyCalls: 429,
}


class Door:
    """Lets requests pass whose session has a token that may read; without tokens, all from this machine."""

    def __init__(self, access: Access, sessions: Sessions, gate: CallerLimits, address: str) -> None:
        self._access = access
        self._sessions = sessions
        self._gate = gate
        self._host = address.rpartition(":")[0].strip("[]")

    def check(self, secret: str) -> str:
        """Return the name of a token's holder. Raises Unauthenticated, TokenExpired, PermissionDenied."""
        return self._access.check(_READING, {"authorization": f"Bearer {secret}"} if secret else {})

    def middleware(self) -> Middleware:
        """Return what aiohttp puts before every handler."""

        @web.middleware
        async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
            answer = await self._answered(request, handler)
            if not answer.prepared:
                for name, value in HEADERS.items():
                    answer.headers.setdefault(name, value)
            return answer

        return pass_through

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._is_meant(request):
            return web.Response(status=421, text="this server has another name\n")
        try:
            if request.path.startswith(_OPEN_PATHS):
                return await handler(request)
            caller = self.check(self._sessions.token_of(request.cookies.get(COOKIE, "")))
            kind = CallKind.STREAMS if request.path.endswith("/events") else CallKind.CALLS
            with self._gate.entered(caller or str(request.remote), kind):
                return await handler(request)
        except _REFUSED:
            return _to_login(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=f"{error.reason}\n")
        except AuditError as error:
            return _refusal(error)

    def _is_meant(self, request: web.Request) -> bool:
        """Whether a request names this server: a page elsewhere could make its own name lead here."""
        if self._access.asks:
            return True
        host = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
        return is_loopback(f"{host}:0") or host.strip("[]") == self._host


def _to_login(request: web.Request) -> web.Response:
    if request.path.endswith("/events"):
        return web.Response(status=401)
    return web.Response(status=303, headers={"Location": "/login"})


def _refusal(error: AuditError) -> web.Response:
    status = next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), 503)
    page = rendered("refusal.html.j2", reason=error.reason, message=error.message)
    return web.Response(text=page, content_type="text/html", status=status)
