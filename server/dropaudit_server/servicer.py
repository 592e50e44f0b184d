"""The service: each method converts, calls, converts. Errors are the interceptor's."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1 import audit_pb2_grpc as rpc
from dropaudit_server import responses
from dropaudit_server import suite_responses as suites
from dropaudit_server.handlers.audit_events import Follower
from dropaudit_server.handlers.audit_handlers import AuditHandlers
from dropaudit_server.handlers.content_threads import ContentThreads
from dropaudit_server.handlers.inspection_handler import Inspector
from dropaudit_server.handlers.model_handlers import ModelHandlers
from dropaudit_server.handlers.suite_handlers import SuiteHandlers
from dropaudit_server.handlers.tensor_store import RequestThreads
from dropaudit_server.handlers.uploads import Stored, Uploads
from dropaudit_server.interceptors.interceptor import CALLER, TRACE
from dropaudit_server.members import previewing
from dropaudit_server.members.previewing import Previewer
from dropaudit_server.naming import history
from dropaudit_server.naming import requests as name_requests
from dropaudit_server.naming import responses as naming
from dropaudit_server.naming.handlers import NameHandlers
from dropaudit_server.naming.history import HistoryHandlers
from dropaudit_server.notifications import calls as notifications
from dropaudit_server.notifications.calls import DeliveryHandlers
from dropaudit_server.reports import documents
from dropaudit_server.reports.collecting import RunReports
from dropaudit_server.reports.documents import ReportDocuments
from dropaudit_server.requests import audit_requests as requests
from dropaudit_server.requests import names, suite_changes, suite_requests
from dropaudit_server.requests.operator_rules import Rules
from dropaudit_server.runs import requests as run_requests
from dropaudit_server.runs import responses as runs
from dropaudit_server.runs.following import RunFollower
from dropaudit_server.runs.handlers import RunHandlers

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class Handlers:
    """The handlers that the servicer calls."""

    models: ModelHandlers
    names: NameHandlers
    history: HistoryHandlers
    uploads: Uploads
    content_threads: ContentThreads
    inspector: Inspector
    audits: AuditHandlers
    follower: Follower
    suites: SuiteHandlers
    previewer: Previewer
    runs: RunHandlers
    run_follower: RunFollower
    deliveries: DeliveryHandlers
    run_reports: RunReports
    documents: ReportDocuments
    rules: Rules
    threads: RequestThreads


class AuditServicer(rpc.AuditServiceServicer):
    """dropaudit.v1.AuditService.

    Everything but waiting runs in threads, conversions too: a list takes long to convert, and all calls share the loop.
    """

    def __init__(self, parts: Handlers) -> None:
        self._run = parts.threads.run
        self._models = parts.models
        self._names = parts.names
        self._history = parts.history
        self._uploads = parts.uploads
        self._content_threads = parts.content_threads
        self._inspector = parts.inspector
        self._audits = parts.audits
        self._follower = parts.follower
        self._suites = parts.suites
        self._previewer = parts.previewer
        self._runs = parts.runs
        self._run_follower = parts.run_follower
        self._deliveries = parts.deliveries
        self._documents = parts.documents
        self._rules = parts.rules

    async def UploadModel(self, messages: AsyncIterator[pb.UploadModelRequest], context: Context) -> pb.Model:
        stored = await self._uploads.receive(messages)
        return await to_thread(self._added, stored)

    def _added(self, stored: Stored) -> pb.Model:
        record, version = self._models.add(stored.sha256, stored.size, stored.display_name, CALLER.get())
        return naming.named_model(record, self._models.names_of(stored.sha256), version)

    async def GetModel(self, request: pb.GetModelRequest, context: Context) -> pb.Model:
        sha256 = names.stored_model(request.name)
        return await to_thread(lambda: naming.named_model(self._models.get(sha256), self._models.names_of(sha256)))

    async def ListModels(self, request: pb.ListModelsRequest, context: Context) -> pb.ListModelsResponse:
        page = requests.list_page(request, "models")
        return await self._run(request, lambda: responses.models(*self._models.page(page.size, page.cursor), page))

    async def DownloadModel(
        self, request: pb.DownloadModelRequest, context: Context
    ) -> AsyncIterator[pb.DownloadModelResponse]:
        chunks = await to_thread(self._models.content, names.stored_model(request.name))
        async for chunk in self._content_threads.each(chunks):
            yield pb.DownloadModelResponse(chunk=chunk)

    async def DeleteModel(self, request: pb.DeleteModelRequest, context: Context) -> Empty:
        await to_thread(self._models.delete, names.stored_model(request.name))
        return Empty()

    async def InspectModel(self, request: pb.InspectModelRequest, context: Context) -> pb.InspectModelResponse:
        found = await self._inspector.sites(names.stored_model(request.name))
        return await self._run(request, lambda: responses.inspection(found))

    async def ListModelNames(self, request: pb.ListModelNamesRequest, context: Context) -> pb.ListModelNamesResponse:
        pattern, page = name_requests.list_names(request)
        cursor = name_requests.name_of(page.cursor)
        return await self._run(request, lambda: naming.names(*self._names.page(page.size, cursor, pattern), page))

    async def GetModelName(self, request: pb.GetModelNameRequest, context: Context) -> pb.ModelName:
        return naming.name(await to_thread(self._names.get, name_requests.named(request.display_name)))

    async def DeleteModelName(self, request: pb.DeleteModelNameRequest, context: Context) -> Empty:
        await to_thread(self._names.delete, name_requests.named(request.display_name))
        return Empty()

    async def ListModelVersions(
        self, request: pb.ListModelVersionsRequest, context: Context
    ) -> pb.ListModelVersionsResponse:
        name, page, before = name_requests.list_versions(request)
        return await self._run(request, lambda: naming.versions(*self._names.versions(name, page.size, before), page))

    async def SetModelAlias(self, request: pb.SetModelAliasRequest, context: Context) -> pb.ModelVersion:
        return naming.version(await to_thread(self._names.set_alias, *name_requests.set_alias(request)))

    async def DeleteModelAlias(self, request: pb.DeleteModelAliasRequest, context: Context) -> Empty:
        await to_thread(self._names.delete_alias, *name_requests.delete_alias(request))
        return Empty()

    async def GetModelHistory(self, request: pb.GetModelHistoryRequest, context: Context) -> pb.GetModelHistoryResponse:
        asked = history.read_history(request)
        return await self._run(request, lambda: history.history(*self._history.page(asked), asked))

    async def CreateAudit(self, request: pb.CreateAuditRequest, context: Context) -> pb.Audit:
        made = await self._run(request, lambda: self._audits.create(requests.create_audit(request, self._rules)))
        # One that waits is soon converted, and workers are told of it in a moment: the answer comes first.
        return responses.audit(made)

    async def BatchCreateAudits(
        self, request: pb.BatchCreateAuditsRequest, context: Context
    ) -> pb.BatchCreateAuditsResponse:
        return await self._run(
            request,
            lambda: responses.batch(self._audits.create_many(requests.batch_create_audits(request, self._rules))),
        )

    async def GetAudit(self, request: pb.GetAuditRequest, context: Context) -> pb.Audit:
        audit_id = names.resource_id(request.name, "audits")
        return await self._run(request, lambda: responses.audit(self._audits.get(audit_id)))

    async def ListAudits(self, request: pb.ListAuditsRequest, context: Context) -> pb.ListAuditsResponse:
        query, page = requests.list_audits(request)
        return await self._run(
            request, lambda: responses.audits(*self._audits.page(query, page.size, whole=page.whole), page)
        )

    async def WatchAudit(self, request: pb.WatchAuditRequest, context: Context) -> AsyncIterator[pb.AuditEvent]:
        audit_id = names.resource_id(request.name, "audits")
        async for event in self._follower.follow(audit_id, request.after_sequence):
            yield event

    async def CancelAudit(self, request: pb.CancelAuditRequest, context: Context) -> pb.Audit:
        audit_id = names.resource_id(request.name, "audits")
        return await self._run(request, lambda: responses.audit(self._audits.cancel(audit_id)))

    async def DeleteAudit(self, request: pb.DeleteAuditRequest, context: Context) -> Empty:
        await to_thread(self._audits.delete, names.resource_id(request.name, "audits"))
        return Empty()

    async def CreateSuite(self, request: pb.CreateSuiteRequest, context: Context) -> pb.Suite:
        return await self._run(
            request, lambda: suites.suite(self._suites.create(suite_requests.create_suite(request, self._rules)))
        )

    async def GetSuite(self, request: pb.GetSuiteRequest, context: Context) -> pb.Suite:
        suite_id = names.resource_id(request.name, "suites")
        return await self._run(request, lambda: suites.suite(*self._suites.get(suite_id)))

    async def ListSuites(self, request: pb.ListSuitesRequest, context: Context) -> pb.ListSuitesResponse:
        page = requests.list_page(request, "suites")
        return await self._run(request, lambda: suites.suites(self._suites.page(page.size, page.cursor), page))

    async def UpdateSuite(self, request: pb.UpdateSuiteRequest, context: Context) -> pb.Suite:
        return await self._run(
            request, lambda: suites.suite(*self._suites.update(suite_changes.update_suite(request, self._rules)))
        )

    async def DeleteSuite(self, request: pb.DeleteSuiteRequest, context: Context) -> Empty:
        await to_thread(self._suites.delete, names.resource_id(request.name, "suites"), request.etag)
        return Empty()

    async def PauseSuite(self, request: pb.PauseSuiteRequest, context: Context) -> pb.Suite:
        suite_id = names.resource_id(request.name, "suites")
        return await self._run(request, lambda: suites.suite(*self._suites.pause(suite_id, paused=True)))

    async def ResumeSuite(self, request: pb.ResumeSuiteRequest, context: Context) -> pb.Suite:
        suite_id = names.resource_id(request.name, "suites")
        return await self._run(request, lambda: suites.suite(*self._suites.pause(suite_id, paused=False)))

    async def PreviewSuite(self, request: pb.PreviewSuiteRequest, context: Context) -> pb.PreviewSuiteResponse:
        suite = await self._run(request, lambda: self._suites.shown(suite_requests.preview_suite(request, self._rules)))
        found = await self._previewer.preview(suite)
        return await self._run(request, lambda: previewing.preview(found))

    async def RunSuite(self, request: pb.RunSuiteRequest, context: Context) -> pb.Run:
        asked = suite_requests.run_suite(request)
        again, trace = request.always_audit, TRACE.get()
        return await self._run(
            request, lambda: runs.run(self._runs.start(*asked, CALLER.get(), always_audit=again, trace=trace))
        )

    async def GetRun(self, request: pb.GetRunRequest, context: Context) -> pb.Run:
        ids, whole = names.run_ids(request.name), run_requests.is_whole(request)
        return await self._run(request, lambda: runs.run(self._runs.get(*ids, whole=whole), whole=whole))

    async def ListRuns(self, request: pb.ListRunsRequest, context: Context) -> pb.ListRunsResponse:
        suite_id = names.resource_id(request.parent, "suites", "parent")
        page = requests.list_page(request, "runs", suite_id)
        return await self._run(
            request,
            lambda: runs.runs(*self._runs.page(suite_id, page.size, page.cursor, whole=page.whole), page),
        )

    async def WatchRun(self, request: pb.WatchRunRequest, context: Context) -> AsyncIterator[pb.RunEvent]:
        async for event in self._run_follower.follow(*names.run_ids(request.name)):
            yield event

    async def CancelRun(self, request: pb.CancelRunRequest, context: Context) -> pb.Run:
        ids = names.run_ids(request.name)
        return await self._run(request, lambda: runs.run(self._runs.cancel(*ids)))

    async def CompareRuns(self, request: pb.CompareRunsRequest, context: Context) -> pb.Comparison:
        suite_id, run_id, base = run_requests.compare_runs(request)
        return await self._run(request, lambda: runs.comparison(self._runs.compare(suite_id, run_id, base)))

    async def RenderReport(
        self, request: pb.RenderReportRequest, context: Context
    ) -> AsyncIterator[pb.RenderReportResponse]:
        async for each in self._documents.stream(documents.read_request(request)):
            yield each

    async def ListDeliveries(self, request: pb.ListDeliveriesRequest, context: Context) -> pb.ListDeliveriesResponse:
        suite_id, page, state = notifications.list_deliveries(request)
        return await self._run(
            request,
            lambda: notifications.deliveries(*self._deliveries.page(suite_id, page.size, page.cursor, state), page),
        )

    async def Redeliver(self, request: pb.RedeliverRequest, context: Context) -> pb.Delivery:
        ids = notifications.delivery_ids(request.name)
        return notifications.delivery(await to_thread(self._deliveries.again, *ids))
