"""The synchronous client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import grpc

from dropaudit.plan import OnProgress, Plan
from dropaudit.report import Report
from dropaudit.subjects import ArtifactSubject, PairSubject, RecordedSubject, Subject
from dropaudit_client import requests, responses
from dropaudit_client.channel import DEFAULT_ADDRESS, DEFAULT_TIMEOUT, channel_options
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


@contextmanager
def service_errors(address: str) -> Iterator[None]:
    """Turn what gRPC raises inside into ServiceError."""
    try:
        yield
    except grpc.RpcError as error:
        raise responses.service_error(error, address) from error


class AuditClient:
    """Calls the service, one call after the other.

    Every method raises ServiceUnavailable when no server answers, and ServiceError when it refuses.

    Args:
        address: `host:port` of the service.
        timeout: seconds that one call may take; watching has no limit.
    """

    def __init__(self, address: str = DEFAULT_ADDRESS, *, timeout: float = DEFAULT_TIMEOUT) -> None:
        self._address = address
        self._timeout = timeout
        self._channel = grpc.insecure_channel(address, options=channel_options())
        self._stub = AuditServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the channel; calls under way end."""
        self._channel.close()

    def upload_model(self, source: ModelSource, *, display_name: str = "", progress: OnUpload = ignore_upload) -> Model:
        """Store a model, from a path or as bytes. The same content has the same name and is stored once.

        Raises:
            UnreadableFile: the path cannot be read.
            InvalidModel: the file at the path is no ONNX model.
        """
        content, name = read_source(source, display_name)
        with service_errors(self._address):
            return responses.model(self._stub.UploadModel(upload_messages(content, name, progress)))

    def create_audit(
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
            return responses.audit(self._stub.CreateAudit(request, timeout=self._timeout))

    def get_audit(self, name: str) -> Audit:
        """Return an audit, with its report once it has succeeded."""
        with service_errors(self._address):
            return responses.audit(self._stub.GetAudit(pb.GetAuditRequest(name=name), timeout=self._timeout))

    def watch(self, name: str, after_sequence: int = 0) -> Iterator[Event]:
        """Yield an audit's events as they happen; the last one is Finished."""
        with service_errors(self._address):
            for event in self._stub.WatchAudit(pb.WatchAuditRequest(name=name, after_sequence=after_sequence)):
                yield responses.event(event)

    def create_suite(
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
            return responses.suite(self._stub.CreateSuite(request, timeout=self._timeout))

    def get_suite(self, name: str) -> Suite:
        """Return a suite."""
        with service_errors(self._address):
            return responses.suite(self._stub.GetSuite(pb.GetSuiteRequest(name=name), timeout=self._timeout))

    def run_suite(self, name: str, *, request_id: str | None = None) -> Run:
        """Turn a suite into audits now. The same `request_id` returns the same run."""
        with service_errors(self._address):
            return responses.run(self._stub.RunSuite(requests.run_suite(name, request_id), timeout=self._timeout))

    def get_run(self, name: str) -> Run:
        """Return a run and how its audits stand."""
        with service_errors(self._address):
            return responses.run(self._stub.GetRun(pb.GetRunRequest(name=name), timeout=self._timeout))

    def list_runs(self, suite: str) -> list[Run]:
        """Return all runs of a suite, newest first."""
        found: list[Run] = []
        token = ""
        while True:
            request = pb.ListRunsRequest(parent=suite, page_token=token)
            with service_errors(self._address):
                page = self._stub.ListRuns(request, timeout=self._timeout)
            found += map(responses.run, page.runs)
            token = page.next_page_token
            if not token:
                return found

    def wait(self, name: str, progress: OnProgress | None = None) -> Audit:
        """Follow an audit to its end and return it finished."""
        for event in self.watch(name):
            if isinstance(event, Finished):
                return event.audit
            if progress and isinstance(event, Progressed):
                progress(event.progress)
        raise ServiceUnavailable("STREAM_ENDED", f"the server ended the events of {name} too early", "UNAVAILABLE")

    def store_subject(self, subject: Subject) -> SubjectRef:
        """Upload what a subject holds and return its counterpart on the service."""
        match subject:
            case ArtifactSubject():
                model = self.upload_model(subject.model).name
                return ArtifactRef(model, subject.role, subject.inputs, subject.keep_prob)
            case PairSubject():
                train, inference = (self.upload_model(each).name for each in (subject.train, subject.inference))
                return PairRef(train, inference, subject.inputs, subject.keep_prob)
            case RecordedSubject():
                return subject

    def audit(
        self,
        what: ModelSource | Subject,
        plan: Plan | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        progress: OnProgress | None = None,
    ) -> Report:
        """Upload, audit, wait, and return the report.

        Args:
            what: a path or the bytes of an ONNX file, or any subject of `dropaudit.subjects`.

        Raises:
            AuditNotMade: the audit ended without a report; `reason` says why.
        """
        created = self.create_audit(self.store_subject(as_subject(what)), plan, labels=labels)
        return responses.report_of(self.wait(created.name, progress))
