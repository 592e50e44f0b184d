"""Pages about models: their names, the versions of each, and the sites that they have."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from dropaudit.errors import AuditError
from dropaudit.report import Report, from_json
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import responses
from dropaudit_server.naming import history
from dropaudit_server.naming import requests as name_requests
from dropaudit_server.naming import responses as naming
from dropaudit_server.requests import audit_requests as requests
from dropaudit_server.servicer import Handlers
from dropaudit_server.web import answers
from dropaudit_store.records import AuditRecord

# A worker is asked for the sites of what nobody has audited; who looks at a page does not wait longer.
_INSPECT_SECONDS = 3.0
_MOST_AUDITS = 50
_MOST_SITES = 200


class ModelPages:
    """Answers requests about models, by the same parts as the gRPC service."""

    def __init__(self, parts: Handlers) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered where. Names may hold any character: they stand in the query."""
        return [
            web.get("/models", self.names),
            web.get("/models/named", self.named),
            web.get("/models/contents", self.contents),
        ]

    async def names(self, request: web.Request) -> web.Response:
        """Answer a page of names, each with its newest version."""
        asked = pb.ListModelNamesRequest(page_size=answers.PAGE_SIZE, page_token=request.query.get("page", ""))
        pattern, page = name_requests.list_names(asked)
        cursor = name_requests.name_of(page.cursor)
        found = await asyncio.to_thread(
            lambda: answers.plain(naming.names(*self._parts.names.page(page.size, cursor, pattern), page))
        )
        return answers.page("models.html.j2", names=found["names"], following=found["nextPageToken"])

    async def contents(self, request: web.Request) -> web.Response:
        """Answer a page of models by their contents, those without a name too."""
        asked = pb.ListModelsRequest(page_size=answers.PAGE_SIZE, page_token=request.query.get("page", ""))
        page = requests.list_page(asked, "models")
        found = await asyncio.to_thread(
            lambda: answers.plain(responses.models(*self._parts.models.page(page.size, page.cursor), page))
        )
        return answers.page("contents.html.j2", models=found["models"], following=found["nextPageToken"])

    async def named(self, request: web.Request) -> web.Response:
        """Answer the versions of a name, how each was audited last, and the sites of the newest."""
        name = name_requests.named(request.query.get("name", ""))
        token = request.query.get("page", "")
        asked = pb.ListModelVersionsRequest(display_name=name, page_size=answers.PAGE_SIZE, page_token=token)

        def both() -> tuple[dict[str, Any], list[AuditRecord]]:
            _, page, before = name_requests.list_versions(asked)
            found = naming.versions(*self._parts.names.versions(name, page.size, before), page)
            series = history.read_history(pb.GetModelHistoryRequest(display_name=name, page_size=_MOST_AUDITS))
            return answers.plain(found), self._parts.history.page(series)[0]

        found, audits = await asyncio.to_thread(both)
        known = _newest(audits)
        return answers.page(
            "model.html.j2",
            name=name,
            versions=found["versions"],
            following=found["nextPageToken"],
            audits=known,
            **await self._sites(found["versions"], known),
        )

    async def _sites(self, versions: Sequence[Mapping[str, Any]], known: Mapping[int, Any]) -> dict[str, Any]:
        """Return the sites of the newest version: as they were measured, else as a worker finds them declared."""
        if not versions:
            return {"sites": (), "measured": False, "why_not": ""}
        version = versions[0]
        if version["version"] in known:
            report: Report = known[version["version"]]["report"]
            return {"sites": report.sites[:_MOST_SITES], "measured": True, "why_not": ""}
        try:
            async with asyncio.timeout(_INSPECT_SECONDS):
                found = await self._parts.inspector.sites(str(version["model"]).removeprefix("models/"))
        except TimeoutError:
            return {"sites": (), "measured": False, "why_not": "No worker has looked at it yet."}
        except AuditError as error:
            return {"sites": (), "measured": False, "why_not": error.message}
        return {"sites": from_json(_as_report(found.sites)).sites[:_MOST_SITES], "measured": False, "why_not": ""}


def _as_report(sites: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {"verdict": "PASS", "summary": "", "execution": {"provider": ""}, "sites": list(sites)}


def _newest(audits: Iterable[AuditRecord]) -> dict[int, dict[str, Any]]:
    """Return the newest audit of each version, with its report."""
    found: dict[int, dict[str, Any]] = {}
    for record in audits:
        if record.report is not None and record.request.model_version not in found:
            report = from_json(record.report)
            codes = dict.fromkeys(each.code for each in report.findings)
            found[record.request.model_version] = {"id": record.id, "report": report, "codes": codes}
    return found
