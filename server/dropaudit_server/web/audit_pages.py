"""Pages about audits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from aiohttp import web

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import responses
from dropaudit_server.requests import audit_requests as requests
from dropaudit_server.servicer import Handlers
from dropaudit_server.web import answers


class AuditPages:
    """Answers requests about audits, by the same parts as the gRPC service."""

    def __init__(self, parts: Handlers) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered where."""
        return [
            web.get("/", self.audits),
            web.get("/audits/{id}", self.audit),
            web.get("/audits/{id}/report", self.report),
            web.get("/audits/{id}/events", self.events),
        ]

    async def audits(self, request: web.Request) -> web.Response:
        """Answer a page of audits, newest first."""
        words = request.query.get("filter", "")
        token = request.query.get("page", "")
        asked = pb.ListAuditsRequest(filter=words, page_size=answers.PAGE_SIZE, page_token=token)

        def listed() -> pb.ListAuditsResponse:
            query, page = requests.list_audits(asked)
            return responses.audits(*self._parts.audits.page(query, page.size, whole=page.whole), page)

        found = answers.plain(await asyncio.to_thread(listed))
        return answers.page("audits.html.j2", filter=words, audits=found["audits"], following=found["nextPageToken"])

    async def audit(self, request: web.Request) -> web.Response:
        """Answer one audit, which is followed while it runs."""
        audit_id = answers.resource_id(request, "audits")
        found = await asyncio.to_thread(lambda: answers.plain(responses.audit(self._parts.audits.get(audit_id))))
        return answers.page("audit.html.j2", audit=found, id=audit_id)

    async def report(self, request: web.Request) -> web.Response:
        """Answer the report of an audit, as the command writes it."""
        return await answers.document(self._parts.documents, request, "", answers.resource_id(request, "audits"))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream the events of an audit, after the last one that the browser has seen."""
        audit_id = answers.resource_id(request, "audits")
        last = request.headers.get("Last-Event-ID", "")
        await asyncio.to_thread(self._parts.audits.get, audit_id)
        return await answers.stream(request, self._told(audit_id, last))

    async def _told(self, audit_id: str, last: str) -> AsyncGenerator[bytes, None]:
        after = int(last) if last.isdecimal() and len(last) < 16 else 0
        async for event in self._parts.follower.follow(audit_id, after):
            kind = event.WhichOneof("event") or "state"
            yield answers.event(kind, {} if kind == "audit" else answers.plain(event), event.sequence)
