"""Where the dashboard listens."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator
from importlib.resources import files

import structlog
from aiohttp import web

from dropaudit.errors import InvalidArgument
from dropaudit_server.interceptors.access import Access
from dropaudit_server.interceptors.caller_limits import CallerLimits
from dropaudit_server.servicer import Handlers
from dropaudit_server.serving.addresses import is_loopback
from dropaudit_server.settings import ServerSettings
from dropaudit_server.web.door import Door
from dropaudit_server.web.pages import Pages
from dropaudit_server.web.sessions import Sessions

# A token, and no more.
_LARGEST_FORM = 8 << 10
_SHUTDOWN_SECONDS = 2.0

_log = structlog.get_logger(__name__)


@contextlib.asynccontextmanager
async def served_pages(
    parts: Handlers, access: Access, gate: CallerLimits, settings: ServerSettings
) -> AsyncIterator[None]:
    """Serve the dashboard while inside.

    Raises:
        InvalidArgument: the address cannot be used, or anybody could read there.
    """
    _require_tokens(settings)
    sessions = Sessions()
    door = Door(access, sessions, gate, settings.web_listen)
    pages = Pages(parts, door, sessions, is_secure=bool(settings.tls_certificate))
    application = web.Application(middlewares=[door.middleware()], client_max_size=_LARGEST_FORM)
    application.add_routes(pages.routes())
    application.router.add_static("/static/", str(files("dropaudit_server.web") / "static"))
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS, handler_cancellation=True)
    await runner.setup()
    try:
        await _listen(runner, settings)
        _log.info("serving the dashboard", address=settings.web_listen)
        yield
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: ServerSettings) -> None:
    host, _, port = settings.web_listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port), ssl_context=_tls(settings)).start()
    except (OSError, ValueError, OverflowError) as error:
        sentence = f"cannot serve the dashboard on {settings.web_listen}; choose another DROPAUDIT_WEB_LISTEN"
        raise InvalidArgument(sentence, field="web_listen") from error


def _tls(settings: ServerSettings) -> ssl.SSLContext | None:
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return context


def _require_tokens(settings: ServerSettings) -> None:
    if is_loopback(settings.web_listen) or settings.tokens_file:
        return
    if not settings.allow_anonymous:
        raise InvalidArgument(
            f"refusing to serve the dashboard on {settings.web_listen} to everybody: set DROPAUDIT_TOKENS_FILE, listen "
            "on 127.0.0.1, or say DROPAUDIT_ALLOW_ANONYMOUS=true",
            field="web_listen",
        )
    _log.warning("anyone who can reach this address may read everything", address=settings.web_listen)
