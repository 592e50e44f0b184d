"""Pages about suites and their runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import web

from dropaudit_formats.runs.kinds import kinds_of
from dropaudit_formats.runs.page import table_of
from dropaudit_formats.runs.report import RunReport
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import suite_responses
from dropaudit_server.reports.collecting import Extent
from dropaudit_server.requests import audit_requests as requests
from dropaudit_server.requests import names
from dropaudit_server.runs import responses as run_responses
from dropaudit_server.servicer import Handlers
from dropaudit_server.web import answers

# Of a run, the gravest; its report has more.
_MOST_MEMBERS = 200


class SuitePages:
    """Answers requests about suites, by the same parts as the gRPC service."""

    def __init__(self, parts: Handlers) -> None:
        self._parts = parts

    def routes(self) -> list[web.RouteDef]:
        """Return what is answered where."""
        return [
            web.get("/suites", self.suites),
            web.get("/suites/{id}", self.suite),
            web.get("/suites/{id}/runs/{run}", self.run),
            web.get("/suites/{id}/runs/{run}/report", self.report),
            web.get("/suites/{id}/runs/{run}/events", self.events),
        ]

    async def suites(self, request: web.Request) -> web.Response:
        """Answer a page of suites."""
        asked = pb.ListSuitesRequest(page_size=answers.PAGE_SIZE, page_token=request.query.get("page", ""))
        page = requests.list_page(asked, "suites")
        found = await asyncio.to_thread(
            lambda: answers.plain(suite_responses.suites(self._parts.suites.page(page.size, page.cursor), page))
        )
        return answers.page("suites.html.j2", suites=found["suites"], following=found["nextPageToken"])

    async def suite(self, request: web.Request) -> web.Response:
        """Answer a suite with its newest runs."""
        suite_id = answers.resource_id(request, "suites")
        asked = pb.ListRunsRequest(page_size=answers.PAGE_SIZE, page_token=request.query.get("page", ""))
        page = requests.list_page(asked, "runs", suite_id)

        def both() -> tuple[Any, Any]:
            suite = suite_responses.suite(*self._parts.suites.get(suite_id))
            found = self._parts.runs.page(suite_id, page.size, page.cursor, whole=page.whole)
            return answers.plain(suite), answers.plain(run_responses.runs(*found, page))

        suite, runs = await asyncio.to_thread(both)
        return answers.page("suite.html.j2", suite=suite, runs=runs["runs"], following=runs["nextPageToken"])

    async def run(self, request: web.Request) -> web.Response:
        """Answer a run: how far it is, what changed, its gravest members with their trends, and what they have."""
        suite_id, run_id = _run_ids(request)

        def both() -> tuple[dict[str, Any], RunReport]:
            status = self._parts.runs.get(suite_id, run_id, whole=False)
            report = self._parts.run_reports.of(status, Extent(links="", most=_MOST_MEMBERS))
            return answers.plain(run_responses.run(status, whole=False)), report

        run, report = await asyncio.to_thread(both)
        more = run.get("counts", {}).get("total", 0) - len(report.results)
        return answers.page(
            "run.html.j2",
            run=run,
            report=report,
            table=table_of(report),
            kinds=kinds_of(report.results),
            more=max(0, more),
            suite=f"suites/{suite_id}",
        )

    async def report(self, request: web.Request) -> web.Response:
        """Answer the report of a run, as the command writes it."""
        return await answers.document(self._parts.documents, request, *_run_ids(request))

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream how far a run is."""
        suite_id, run_id = _run_ids(request)
        await asyncio.to_thread(lambda: self._parts.runs.get(suite_id, run_id, whole=False))
        return await answers.stream(request, self._told(suite_id, run_id))

    async def _told(self, suite_id: str, run_id: str) -> AsyncGenerator[bytes, None]:
        async for event in self._parts.run_follower.follow(suite_id, run_id):
            if event.HasField("run"):
                yield answers.event("run", {})
            else:
                yield answers.event("counts", answers.plain(event.progress.counts))


def _run_ids(request: web.Request) -> tuple[str, str]:
    return names.run_ids(f"suites/{request.match_info['id']}/runs/{request.match_info['run']}")
