"""The service: each method converts, calls, converts. Errors are the interceptor's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server import names, requests, responses, suite_requests
from dropaudit_server.following import Follower
from dropaudit_server.handlers import Handlers
from dropaudit_server.paging import page_of, page_token
from dropaudit_server.unserved import Context, UnservedCalls
from dropaudit_server.uploads import Uploads


class AuditServicer(UnservedCalls):
    """dropaudit.v1.AuditService."""

    def __init__(self, handlers: Handlers, uploads: Uploads, follower: Follower) -> None:
        self._handlers = handlers
        self._uploads = uploads
        self._follower = follower

    async def UploadModel(self, messages: AsyncIterator[pb.UploadModelRequest], context: Context) -> pb.Model:
        stored = await self._uploads.receive(messages)
        record = await asyncio.to_thread(self._handlers.add_model, stored.sha256, stored.size, stored.display_name)
        return responses.model(record)

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.Model:
        return responses.model(await asyncio.to_thread(self._handlers.get_model, names.stored_model(request)))

    async def CreateAudit(self, request: pb.CreateAuditRequest, context: Context) -> pb.Audit:
        # Tensors may be large: they are read in a thread too.
        asked = await asyncio.to_thread(requests.create_audit, request)
        return responses.audit(await asyncio.to_thread(self._handlers.create_audit, asked))

    async def GetAudit(self, request: pb.GetAuditRequest, context: Context) -> pb.Audit:
        audit_id = names.resource_id(request.name, "audits")
        return responses.audit(await asyncio.to_thread(self._handlers.get_audit, audit_id))

    async def WatchAudit(self, request: pb.WatchAuditRequest, context: Context) -> AsyncIterator[pb.AuditEvent]:
        audit_id = names.resource_id(request.name, "audits")
        async for event in self._follower.follow(audit_id, request.after_sequence):
            yield event

    async def CreateSuite(self, request: pb.CreateSuiteRequest, context: Context) -> pb.Suite:
        asked = await asyncio.to_thread(suite_requests.create_suite, request)
        return responses.suite(await asyncio.to_thread(self._handlers.create_suite, asked))

    async def GetSuite(self, request: pb.GetSuiteRequest, context: Context) -> pb.Suite:
        suite_id = names.resource_id(request.name, "suites")
        return responses.suite(await asyncio.to_thread(self._handlers.get_suite, suite_id))

    async def RunSuite(self, request: pb.RunSuiteRequest, context: Context) -> pb.Run:
        status = await asyncio.to_thread(self._handlers.run_suite, *suite_requests.run_suite(request))
        return responses.run(status.run, status.audits)

    async def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.Run:
        status = await asyncio.to_thread(self._handlers.get_run, *names.run_ids(request.name))
        return responses.run(status.run, status.audits)

    async def ListRuns(self, request: pb.ListRunsRequest, context: Context) -> pb.ListRunsResponse:
        statuses, following = await asyncio.to_thread(self._handlers.list_runs, *page_of(request))
        runs = [responses.run(status.run, status.audits) for status in statuses]
        return pb.ListRunsResponse(runs=runs, next_page_token=page_token(following))
