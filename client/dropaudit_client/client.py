"""The synchronous client."""
# Generated from aio.py by `make sync-client`: change it there.

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from dropaudit.plan import OnProgress, Plan
from dropaudit.report import Report, Site
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit_client import requests, responses
from dropaudit_client.calls.documents import DocumentCalls
from dropaudit_client.calls.names import NameCalls
from dropaudit_client.calls.reports import ReportCalls
from dropaudit_client.calls.runs import RunCalls
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


class AuditClient(NameCalls, RunCalls, ReportCalls, DocumentCalls):
    """Calls the service, one call after the other.

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
            self._channel = grpc.insecure_channel(address, options=options)
        else:
            self._channel = grpc.secure_channel(address, credentials, options=options)
        self._stub = AuditServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel; calls under way end."""
        self._channel.close()

    @property
    def _metadata(self) -> Metadata:
        return (*self._security.metadata(), *trace_metadata(self._trace))

    def _call(self, method: Callable[..., T], request: object) -> T:
        with service_errors(self._address):
            answer = method(request, timeout=self._timeout, metadata=self._metadata)
        self._answered = True
        return answer

    def _pages(self, method: Callable[..., Any], request: Any) -> Iterator[Any]:
        """Yield every page of a list."""
        while True:
            page = self._call(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _stream(self, method: Callable[..., Iterable[T]], request: object) -> Iterator[T]:
        with service_errors(self._address):
            yield from method(request, metadata=self._metadata)

    def _waiting(self) -> RetryPolicy:
        return RetryPolicy(self._patience, self._answered)

    def upload_model(self, source: ModelSource, *, display_name: str = "", progress: OnUpload = ignore_upload) -> Model:
        """Store a model, from a path or as bytes. The same content has the same name and is stored, and sent, once.

        Raises:
            UnreadableFile: the path cannot be read.
            InvalidModel: the file at the path is not an ONNX model.
        """
        content, name = read_source(source, display_name)
        with service_errors(self._address):
            messages = upload_messages(content, name, progress)
            return responses.model(self._stub.UploadModel(messages, metadata=self._metadata))

    def get_model(self, name: str) -> Model:
        """Return what is known of a model."""
        return responses.model(self._call(self._stub.GetModel, pb.GetModelRequest(name=name)))

    def list_models(self) -> Iterator[Model]:
        """Yield the stored models, newest first."""
        for page in self._pages(self._stub.ListModels, pb.ListModelsRequest()):
            for each in page.models:
                yield responses.model(each)

    def download_model(self, name: str) -> Iterator[bytes]:
        """Yield a model's content in chunks."""
        for each in self._stream(self._stub.DownloadModel, pb.DownloadModelRequest(name=name)):
            yield each.chunk

    def inspect_model(self, name: str) -> tuple[Site, ...]:
        """Return the sites that a stored model declares; a worker looks."""
        return responses.sites(self._call(self._stub.InspectModel, pb.InspectModelRequest(name=name)))

    def delete_model(self, name: str) -> None:
        """Delete a model. Raises ServiceError / IN_USE while unfinished audits or suites use it."""
        self._call(self._stub.DeleteModel, pb.DeleteModelRequest(name=name))

    def create_audit(
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
        return responses.audit(self._call(self._stub.CreateAudit, requests.create_audit(asked)))

    def create_audits(self, asked: Sequence[NewAudit]) -> list[Audit]:
        """Ask for up to 1000 audits: all of them or, when one is refused, none."""
        request = pb.BatchCreateAuditsRequest(requests=map(requests.create_audit, asked))
        created = self._call(self._stub.BatchCreateAudits, request)
        return [responses.audit(each) for each in created.audits]

    def get_audit(self, name: str) -> Audit:
        """Return an audit, with its report once it has succeeded."""
        return responses.audit(self._call(self._stub.GetAudit, pb.GetAuditRequest(name=name)))

    def list_audits(self, filter: str = "", *, newest_first: bool = True, full: bool = False) -> Iterator[Audit]:
        """Yield the audits that an AIP-160 filter takes.

        Args:
            full: whether with their reports' sites, outputs and evidence.
        """
        for page in self._pages(self._stub.ListAudits, requests.list_audits(filter, newest_first, full)):
            for each in page.audits:
                yield responses.audit(each)

    def cancel_audit(self, name: str) -> Audit:
        """Cancel an audit; of a running one the worker is asked to stop. What is finished stays as it is."""
        return responses.audit(self._call(self._stub.CancelAudit, pb.CancelAuditRequest(name=name)))

    def delete_audit(self, name: str) -> None:
        """Delete a finished audit. Raises ServiceError / AUDIT_NOT_FINISHED before it has finished."""
        self._call(self._stub.DeleteAudit, pb.DeleteAuditRequest(name=name))

    def watch(self, name: str, after_sequence: int = 0) -> Iterator[Event]:
        """Yield an audit's events as they happen; the last one is Finished.

        Where the server goes away it is called again, and goes on after the last event that came.
        """
        patience = self._waiting()
        while True:
            request = pb.WatchAuditRequest(name=name, after_sequence=after_sequence)
            try:
                for message in self._stream(self._stub.WatchAudit, request):
                    patience.heard()
                    event = responses.event(message)
                    after_sequence = event.sequence
                    yield event
            except ServiceError as error:
                time.sleep(patience.pause(error))
            else:
                return

    def create_suite(
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
        return responses.suite(self._call(self._stub.CreateSuite, request))

    def get_suite(self, name: str) -> Suite:
        """Return a suite."""
        return responses.suite(self._call(self._stub.GetSuite, pb.GetSuiteRequest(name=name)))

    def list_suites(self) -> Iterator[Suite]:
        """Yield the suites, newest first."""
        for page in self._pages(self._stub.ListSuites, requests.list_suites()):
            for each in page.suites:
                yield responses.suite(each)

    def update_suite(
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
        return responses.suite(self._call(self._stub.UpdateSuite, request))

    def delete_suite(self, name: str) -> None:
        """Delete a suite, its schedule and its runs."""
        self._call(self._stub.DeleteSuite, pb.DeleteSuiteRequest(name=name))

    def run_suite(self, name: str, *, request_id: str | None = None, always_audit: bool = False) -> Run:
        """Turn a suite into audits now. The same `request_id` returns the same run.

        Args:
            always_audit: whether work that was done already is done again.
        """
        request = requests.run_suite(name, request_id, always_audit)
        return responses.run(self._call(self._stub.RunSuite, request))

    def get_run(self, name: str) -> Run:
        """Return a run and how its audits stand."""
        return responses.run(self._call(self._stub.GetRun, pb.GetRunRequest(name=name)))

    def list_runs(self, suite: str) -> list[Run]:
        """Return all runs of a suite, newest first."""
        pages = self._pages(self._stub.ListRuns, requests.list_runs(suite))
        return [responses.run(each) for page in pages for each in page.runs]

    def wait(self, name: str, progress: OnProgress | None = None) -> Audit:
        """Follow an audit to its end and return it finished."""
        for event in self.watch(name):
            if isinstance(event, Finished):
                return event.audit
            if progress and isinstance(event, Progressed):
                progress(event.progress)
        raise ServiceUnavailable("STREAM_ENDED", f"the server ended the events of {name} too early", "UNAVAILABLE")

    def store_subject(self, subject: Subject | SubjectRef, names: Sequence[str] = ()) -> SubjectRef:
        """Upload what a subject holds and return its counterpart on the service; a counterpart is returned as it is.

        Args:
            names: display names of the models; of a pair, the train artifact first.
        """
        first, second = (*names, "", "")[:2]
        match subject:
            case ArtifactSubject():
                model = self.upload_model(subject.model, display_name=first)
                return ArtifactRef(model.name, subject.role, subject.inputs, subject.keep_prob)
            case PairSubject():
                train = self.upload_model(subject.train, display_name=first)
                inference = self.upload_model(subject.inference, display_name=second)
                return PairRef(train.name, inference.name, subject.inputs, subject.keep_prob)
            case RecordedSubject() | ArtifactRef() | PairRef():
                return subject

    def audit(
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
        stored = self.store_subject(as_subject(what), names_of(what))
        created = self.create_audit(stored, plan, labels=labels)
        return responses.report_of(self.wait(created.name, progress))
