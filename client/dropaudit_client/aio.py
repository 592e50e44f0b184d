"""The asynchronous client: the same calls, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Self

import grpc

from dropaudit.plan import OnProgress, Plan
from dropaudit.report import Report
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit_client import requests, responses
from dropaudit_client.channel import DEFAULT_ADDRESS, DEFAULT_TIMEOUT, channel_options
from dropaudit_client.client import service_errors
from dropaudit_client.errors import ServiceUnavailable
from dropaudit_client.resources import (
    ArtifactRef,
    Audit,
    Event,
    Finished,
    Member,
    Model,
    PairRef,
    Progressed,
    Run,
    SubjectRef,
    Suite,
)
from dropaudit_client.source import ModelSource, OnUpload, as_subject, ignore_upload, read_source, upload_messages
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_proto.v1.audit_pb2_grpc import AuditServiceStub


class AsyncAuditClient:
    """Calls the service from an event loop; make it inside the loop. Methods are those of AuditClient."""

    def __init__(self, address: str = DEFAULT_ADDRESS, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._address = address
        self._timeout = timeout
        self._channel = grpc.aio.insecure_channel(address, options=channel_options())
        self._stub = AuditServiceStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the channel; calls under way end."""
        await self._channel.close(None)

    async def upload_model(
        self, source: ModelSource, *, display_name: str = "", progress: OnUpload = ignore_upload
    ) -> Model:
        """Store a model; see AuditClient.upload_model."""
        content, name = read_source(source, display_name)
        with service_errors(self._address):
            return responses.model(await self._stub.UploadModel(upload_messages(content, name, progress)))

    async def create_audit(
        self,
        subject: SubjectRef,
        plan: Plan | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        request_id: str | None = None,
    ) -> Audit:
        """Ask for an audit and return at once. The same `request_id` returns the same audit."""
        request = requests.create_audit(subject, plan, labels, request_id)
        with service_errors(self._address):
            return responses.audit(await self._stub.CreateAudit(request, timeout=self._timeout))

    async def get_audit(self, name: str) -> Audit:
        """Return an audit, with its report once it has succeeded."""
        with service_errors(self._address):
            return responses.audit(await self._stub.GetAudit(pb.GetAuditRequest(name=name), timeout=self._timeout))

    async def watch(self, name: str, after_sequence: int = 0) -> AsyncIterator[Event]:
        """Yield an audit's events as they happen; the last one is Finished."""
        with service_errors(self._address):
            async for event in self._stub.WatchAudit(pb.WatchAuditRequest(name=name, after_sequence=after_sequence)):
                yield responses.event(event)

    async def create_suite(
        self,
        suite_id: str,
        members: Sequence[Member],
        plan: Plan | None = None,
        *,
        display_name: str = "",
        cron: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Suite:
        """Create a suite; with five cron fields it runs by itself from then on."""
        request = requests.create_suite(suite_id, members, plan, display_name=display_name, cron=cron, labels=labels)
        with service_errors(self._address):
            return responses.suite(await self._stub.CreateSuite(request, timeout=self._timeout))

    async def get_suite(self, name: str) -> Suite:
        """Return a suite."""
        with service_errors(self._address):
            return responses.suite(await self._stub.GetSuite(pb.GetSuiteRequest(name=name), timeout=self._timeout))

    async def run_suite(self, name: str, *, request_id: str | None = None) -> Run:
        """Turn a suite into audits now. The same `request_id` returns the same run."""
        request = requests.run_suite(name, request_id)
        with service_errors(self._address):
            return responses.run(await self._stub.RunSuite(request, timeout=self._timeout))

    async def get_run(self, name: str) -> Run:
        """Return a run and how its audits stand."""
        with service_errors(self._address):
            return responses.run(await self._stub.GetRun(pb.GetRunRequest(name=name), timeout=self._timeout))

    async def list_runs(self, suite: str) -> list[Run]:
        """Return all runs of a suite, newest first."""
        found: list[Run] = []
        token = ""
        while True:
            request = pb.ListRunsRequest(parent=suite, page_token=token)
            with service_errors(self._address):
                page = await self._stub.ListRuns(request, timeout=self._timeout)
            found += map(responses.run, page.runs)
            token = page.next_page_token
            if not token:
                return found

    async def wait(self, name: str, progress: OnProgress | None = None) -> Audit:
        """Follow an audit to its end and return it finished."""
        async for event in self.watch(name):
            if isinstance(event, Finished):
                return event.audit
            if progress and isinstance(event, Progressed):
                progress(event.progress)
        raise ServiceUnavailable("STREAM_ENDED", f"the server ended the events of {name} too early", "UNAVAILABLE")

    async def store_subject(self, subject: Subject) -> SubjectRef:
        """Upload what a subject holds and return its counterpart on the service."""
        match subject:
            case ArtifactSubject():
                model = await self.upload_model(subject.model)
                return ArtifactRef(model.name, subject.role, subject.inputs, subject.keep_prob)
            case PairSubject():
                train, inference = [await self.upload_model(each) for each in (subject.train, subject.inference)]
                return PairRef(train.name, inference.name, subject.inputs, subject.keep_prob)
            case RecordedSubject():
                return subject

    async def audit(
        self,
        what: ModelSource | Subject,
        plan: Plan | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        progress: OnProgress | None = None,
    ) -> Report:
        """Upload, audit, wait, and return the report; see AuditClient.audit."""
        created = await self.create_audit(await self.store_subject(as_subject(what)), plan, labels=labels)
        return responses.report_of(await self.wait(created.name, progress))
