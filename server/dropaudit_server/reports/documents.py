"""RenderReport: a report as a document, in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from dropaudit.errors import AuditError
from dropaudit.report import from_json
from dropaudit_formats.not_made import ErrorDocument
from dropaudit_formats.writing import MEDIA_TYPES, Form, error_text, report_text, run_text
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.handlers.audit_handlers import AuditHandlers
from dropaudit_server.handlers.content_threads import ContentThreads
from dropaudit_server.reports.collecting import Extent, RunReports
from dropaudit_server.requests import names
from dropaudit_server.requests.violations import Violations
from dropaudit_server.runs.handlers import RunHandlers
from dropaudit_store.errors import AuditNotFinished
from dropaudit_store.records import AuditRecord, AuditState

MOST_BYTES = 32 << 20
_CHUNK_BYTES = 64 << 10
_LONGEST_PREFIX = 512
FORMS = {
    pb.RenderReportRequest.HTML: Form.HTML,
    pb.RenderReportRequest.JUNIT: Form.JUNIT,
    pb.RenderReportRequest.SARIF: Form.SARIF,
    pb.RenderReportRequest.MARKDOWN: Form.MARKDOWN,
    pb.RenderReportRequest.JSON: Form.JSON,
}
# They tell of sites and outputs about which nothing was found.
_WHOLE = frozenset({Form.JUNIT, Form.SARIF})


class ReportTooLarge(AuditError):
    """A document would be larger than anybody should be sent."""

    reason = "REPORT_TOO_LARGE"

    def __init__(self, name: str, form: Form, size: int) -> None:
        super().__init__(
            f"the report of {name} as {form} has {size:,} bytes, more than {MOST_BYTES:,}; take another form",
            name=name,
        )


@dataclass(frozen=True, slots=True)
class AskedDocument:
    """A checked RenderReport; `suite_id` is empty of an audit, whose id then is `id`."""

    suite_id: str
    id: str
    form: Form
    links: str | None

    @property
    def name(self) -> str:
        """Resource name."""
        return f"suites/{self.suite_id}/runs/{self.id}" if self.suite_id else f"audits/{self.id}"


def read_request(request: pb.RenderReportRequest) -> AskedDocument:
    """Read a RenderReport. Raises InvalidRequest."""
    is_run = request.name.startswith("suites/")
    suite_id, found = names.run_ids(request.name) if is_run else ("", names.resource_id(request.name, "audits"))
    violations = Violations()
    if request.form not in FORMS:
        violations.add("form", "must be HTML, JUNIT, SARIF, MARKDOWN or JSON")
    prefix = request.link_prefix
    if prefix and not (prefix.startswith(("http://", "https://")) and prefix.isprintable()):
        violations.add("link_prefix", "must begin with http:// or https://")
    if len(prefix) > _LONGEST_PREFIX:
        violations.add("link_prefix", f"at most {_LONGEST_PREFIX} characters")
    violations.check()
    return AskedDocument(suite_id, found, FORMS[request.form], prefix.rstrip("/") if prefix else None)


class ReportDocuments:
    """Writes documents.

    Args:
        threads: few of them: each document takes a core for a while, and memory.
    """

    def __init__(self, audits: AuditHandlers, runs: RunHandlers, reports: RunReports, threads: ContentThreads) -> None:
        self._audits = audits
        self._runs = runs
        self._reports = reports
        self._threads = threads

    async def stream(self, asked: AskedDocument) -> AsyncIterator[pb.RenderReportResponse]:
        """Yield a document in pieces. Raises the store's errors and ReportTooLarge."""
        content = await self.content(asked)
        yield pb.RenderReportResponse(media_type=MEDIA_TYPES[asked.form], chunk=content[:_CHUNK_BYTES])
        for piece in _pieces(content, _CHUNK_BYTES):
            yield pb.RenderReportResponse(chunk=piece)

    async def content(self, asked: AskedDocument) -> bytes:
        """Return a document. Raises the store's errors and ReportTooLarge."""
        return await self._threads.run(self._content, asked)

    def close(self) -> None:
        """End the threads once their documents are written."""
        self._threads.close()

    def _content(self, asked: AskedDocument) -> bytes:
        text = self._of_run(asked) if asked.suite_id else self._of_audit(asked)
        content = text.encode()
        if len(content) > MOST_BYTES:
            raise ReportTooLarge(asked.name, asked.form, len(content))
        return content

    def _of_run(self, asked: AskedDocument) -> str:
        status = self._runs.get(asked.suite_id, asked.id, whole=False)
        what = Extent(whole=asked.form in _WHOLE, links=asked.links)
        return run_text(self._reports.of(status, what), asked.form)

    def _of_audit(self, asked: AskedDocument) -> str:
        record = self._audits.get(asked.id)
        if record.report is not None:
            return report_text(from_json(record.report), asked.form, title_of(record))
        if record.state in (AuditState.QUEUED, AuditState.RUNNING):
            raise AuditNotFinished(record.id, record.state.value)
        failure = record.failure
        reason, message = (failure.reason, failure.message) if failure else (record.state.value, "it was cancelled")
        return error_text(ErrorDocument(reason, message), asked.form)


def title_of(record: AuditRecord) -> str:
    """Return what an audit's report is headed with, as the command heads it."""
    shown = record.request.display_name
    return f"{shown}  audits/{record.id}" if shown else f"audits/{record.id}"


def _pieces(content: bytes, start: int) -> Iterator[bytes]:
    for place in range(start, len(content), _CHUNK_BYTES):
        yield content[place : place + _CHUNK_BYTES]
