"""The asynchronous client; the synchronous one is generated from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from dropaudit.plan import OnProgress, Plan
from dropaudit.report import Report, Site
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit_client import requests, responses
from dropaudit_client.calls.aio.documents import AsyncDocumentCalls
from dropaudit_client.calls.aio.names import AsyncNameCalls
from dropaudit_client.calls.aio.reports import AsyncReportCalls
from dropaudit_client.calls.aio.runs import AsyncRunCalls
from dropaudit_client.channel import DEFAULT_ADDRESS, DEFAULT_TIMEOUT, NO_SECURITY, Metadata, Security, channel_options
from dropaudit_client.errors import ServiceError, ServiceUnavailable
from dropaudit_client.resources import (
    ArtifactRef,
    Audit,
    Event,
    Finished,
    Member,
    Model,
    NewAudit,
    PairRef,
    Priority,
    Progressed,
    Run,
    SubjectRef,
    Suite,
)
from dropaudit_client.responses import service_errors
from dropaudit_client.retrying import DEFAULT_PATIENCE, RetryPolicy
from dropaudit_client.runs.resources import Receiver
from dropaudit_client.source import (
    ModelSource,
    OnUpload,
    as_subject,
    ignore_upload,
    names_of,
    read_source,
    upload_messages,
)
from dropaudit_client.tracing import trace_metadata
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub

T = TypeVar("T")


class AsyncAuditClient(AsyncNameCalls, AsyncRunCalls, AsyncReportCalls, AsyncDocumentCalls):
    """Calls the service from the event loop that it is made in.

    Every method raises ServiceUnavailable when no server answers, and ServiceError when it refuses.

    Args:
        address: `host:port` of the service.
        timeout: seconds that one call may take; watching, uploading and downloading have no limit.
        security: token and TLS.
        patience: seconds that a watch goes on while no server answers, once one has answered.
        trace: W3C traceparent that calls belong to; that of OpenTelemetry's open span where there is one.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        timeout: float = DEFAULT_TIMEOUT,
        security: Security = NO_SECURITY,
        patience: float = DEFAULT_PATIENCE,
        trace: str = "",
    ) -> None:
        self._address = address
        self._timeout = timeout
        self._patience = patience
        self._answered = False
        self._security = security
        self._trace = trace
        credentials, options = security.credentials(), channel_options()
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(address, options=options)
        else:
            self._channel = grpc.aio.secure_channel(address, credentials, options=options)
        self._stub = AuditServiceStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the channel; calls under way end."""
        await self._channel.close(None)

    @property
    def _metadata(self) -> Metadata:
        return (*self._security.metadata(), *trace_metadata(self._trace))

    async def _call(self, method: Callable[..., Awaitable[T]], request: object) -> T:
        with service_errors(self._address):
            answer = await method(request, timeout=self._timeout, metadata=self._metadata)
        self._answered = True
        return answer

    async def _pages(self, method: Callable[..., Any], request: Any) -> AsyncIterator[Any]:
        """Yield every page of a list."""
        while True:
            page = await self._call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _stream(self, method: Callable[..., AsyncIterable[T]], request: object) -> AsyncIterator[T]:
        with service_errors(self._address):
            async for each in method(request, metadata=self._metadata):
                yield each

    def _waiting(self) -> RetryPolicy:
        return RetryPolicy(self._patience, self._answered)

    async def upload_model(
        self, source: ModelSource, *, display_name: str = "", progress: OnUpload = ignore_upload
    ) -> Model:
        """Store a model, from a path or as bytes. The same content has the same name and is stored, and sent, once.

        Raises:
            UnreadableFile: the path cannot be read.
            InvalidModel: the file at the path is not an ONNX model.
        """
        content, name = read_source(source, display_name)
        with service_errors(self._address):
            messages = upload_messages(content, name, progress)
            return responses.model(await self._stub.UploadModel(messages, metadata=self._metadata))

    async def get_model(self, name: str) -> Model:
        """Return what is known of a model."""
        return responses.model(await self._call(self._stub.GetModel, pb.GetModelRequest(name=name)))

    async def list_models(self) -> AsyncIterator[Model]:
        """Yield the stored models, newest first."""
        async for page in self._pages(self._stub.ListModels, pb.ListModelsRequest()):
            for each in page.models:
                yield responses.model(each)

    async def download_model(self, name: str) -> AsyncIterator[bytes]:
        """Yield a model's content in chunks."""
        async for each in self._stream(self._stub.DownloadModel, pb.DownloadModelRequest(name=name)):
            yield each.chunk

    async def inspect_model(self, name: str) -> tuple[Site, ...]:
        """Return the sites that a stored model declares; a worker looks."""
        return responses.sites(await self._call(self._stub.InspectModel, pb.InspectModelRequest(name=name)))

    async def delete_model(self, name: str) -> None:
        """Delete a model. Raises ServiceError / IN_USE while unfinished audits or suites use it."""
        await self._call(self._stub.DeleteModel, pb.DeleteModelRequest(name=name))

    async def create_audit(
        self,
        subject: SubjectRef,
        plan: Plan | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        request_id: str | None = None,
        priority: Priority = Priority.INTERACTIVE,
        display_name: str = "",
    ) -> Audit:
        """Ask for an audit and return at once. The same `request_id` returns the same audit.

        Args:
            display_name: the name that it is shown and found by; by default its model's.
        """
        asked = NewAudit(subject, plan, labels or {}, request_id, priority, display_name)
        return responses.audit(await self._call(self._stub.CreateAudit, requests.create_audit(asked)))

    async def create_audits(self, asked: Sequence[NewAudit]) -> list[Audit]:
        """Ask for up to 1000 audits: all of them or, when one is refused, none."""
        request = pb.BatchCreateAuditsRequest(requests=map(requests.create_audit, asked))
        created = await self._call(self._stub.BatchCreateAudits, request)
        return [responses.audit(each) for each in created.audits]

    async def get_audit(self, name: str) -> Audit:
        """Return an audit, with its report once it has succeeded."""
        return responses.audit(await self._call(self._stub.GetAudit, pb.GetAuditRequest(name=name)))

    async def list_audits(
        self, filter: str = "", *, newest_first: bool = True, full: bool = False
    ) -> AsyncIterator[Audit]:
        """Yield the audits that an AIP-160 filter takes.

        Args:
            full: whether with their reports' sites, outputs and evidence.
        """
        async for page in self._pages(self._stub.ListAudits, requests.list_audits(filter, newest_first, full)):
            for each in page.audits:
                yield responses.audit(each)

    async def cancel_audit(self, name: str) -> Audit:
        """Cancel an audit; of a running one the worker is asked to stop. What is finished stays as it is."""
        return responses.audit(await self._call(self._stub.CancelAudit, pb.CancelAuditRequest(name=name)))

    async def delete_audit(self, name: str) -> None:
        """Delete a finished audit. Raises ServiceError / AUDIT_NOT_FINISHED before it has finished."""
        await self._call(self._stub.DeleteAudit, pb.DeleteAuditRequest(name=name))

    async def watch(self, name: str, after_sequence: int = 0) -> AsyncIterator[Event]:
        """Yield an audit's events as they happen; the last one is Finished.

        Where the server goes away it is called again, and goes on after the last event that came.
        """
        patience = self._waiting()
        while True:
            request = pb.WatchAuditRequest(name=name, after_sequence=after_sequence)
            try:
                async for message in self._stream(self._stub.WatchAudit, request):
                    patience.heard()
                    event = responses.event(message)
                    after_sequence = event.sequence
                    yield event
            except ServiceError as error:
                await asyncio.sleep(patience.pause(error))
            else:
                return

    async def create_suite(
        self,
        suite_id: str,
        members: Sequence[Member],
        plan: Plan | None = None,
        *,
        display_name: str = "",
        cron: str | None = None,
        time_zone: str = "",
        labels: Mapping[str, str] | None = None,
        notifications: Sequence[Receiver] = (),
    ) -> Suite:
        """Create a suite; with five cron fields, in a time zone or in UTC, it runs by itself from then on."""
        request = requests.create_suite(
            suite_id,
            members,
            plan,
            display_name=display_name,
            cron=cron,
            time_zone=time_zone,
            labels=labels,
            notifications=notifications,
        )
        return responses.suite(await self._call(self._stub.CreateSuite, request))

    async def get_suite(self, name: str) -> Suite:
        """Return a suite."""
        return responses.suite(await self._call(self._stub.GetSuite, pb.GetSuiteRequest(name=name)))

    async def list_suites(self) -> AsyncIterator[Suite]:
        """Yield the suites, newest first."""
        async for page in self._pages(self._stub.ListSuites, requests.list_suites()):
            for each in page.suites:
                yield responses.suite(each)

    async def update_suite(
        self,
        name: str,
        *,
        display_name: str | None = None,
        members: Sequence[Member] | None = None,
        plan: Plan | None = None,
        cron: str | None = None,
        paused: bool | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Suite:
        """Change what is given. An empty `cron` takes the schedule away."""
        request = requests.update_suite(
            name, display_name=display_name, members=members, plan=plan, cron=cron, paused=paused, labels=labels
        )
        return responses.suite(await self._call(self._stub.UpdateSuite, request))

    async def delete_suite(self, name: str) -> None:
        """Delete a suite, its schedule and its runs."""
        await self._call(self._stub.DeleteSuite, pb.DeleteSuiteRequest(name=name))

    async def run_suite(self, name: str, *, request_id: str | None = None, always_audit: bool = False) -> Run:
        """Turn a suite into audits now. The same `request_id` returns the same run.

        Args:
            always_audit: whether work that was done already is done again.
        """
        request = requests.run_suite(name, request_id, always_audit)
        return responses.run(await self._call(self._stub.RunSuite, request))

    async def get_run(self, name: str) -> Run:
        """Return a run and how its audits stand."""
        return responses.run(await self._call(self._stub.GetRun, pb.GetRunRequest(name=name)))

    async def list_runs(self, suite: str) -> list[Run]:
        """Return all runs of a suite, newest first."""
        pages = self._pages(self._stub.ListRuns, requests.list_runs(suite))
        return [responses.run(each) async for page in pages for each in page.runs]

    async def wait(self, name: str, progress: OnProgress | None = None) -> Audit:
        """Follow an audit to its end and return it finished."""
        async for event in self.watch(name):
            if isinstance(event, Finished):
                return event.audit
            if progress and isinstance(event, Progressed):
                progress(event.progress)
        raise ServiceUnavailable("STREAM_ENDED", f"the server ended the events of {name} too early", "UNAVAILABLE")

    async def store_subject(self, subject: Subject | SubjectRef, names: Sequence[str] = ()) -> SubjectRef:
        """Upload what a subject holds and return its counterpart on the service; a counterpart is returned as it is.

        Args:
            names: display names of the models; of a pair, the train artifact first.
        """
        first, second = (*names, "", "")[:2]
        match subject:
            case ArtifactSubject():
                model = await self.upload_model(subject.model, display_name=first)
                return ArtifactRef(model.name, subject.role, subject.inputs, subject.keep_prob)
            case PairSubject():
                train = await self.upload_model(subject.train, display_name=first)
                inference = await self.upload_model(subject.inference, display_name=second)
                return PairRef(train.name, inference.name, subject.inputs, subject.keep_prob)
            case RecordedSubject() | ArtifactRef() | PairRef():
                return subject

    async def audit(
        self,
        what: ModelSource | Subject | SubjectRef,
        plan: Plan | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        progress: OnProgress | None = None,
    ) -> Report:
        """Upload, audit, wait, and return the report.

        Args:
            what: a path, the bytes of an ONNX file, a URI that the service allows, or any subject of
                `dropaudit.subjects` or `dropaudit_client.resources`.

        Raises:
            AuditNotMade: the audit ended without a report; `reason` says why.
        """
        stored = await self.store_subject(as_subject(what), names_of(what))
        created = await self.create_audit(stored, plan, labels=labels)
        return responses.report_of(await self.wait(created.name, progress))
