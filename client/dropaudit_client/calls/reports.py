"""Reports as documents, which the service writes."""
# Generated from calls/aio/reports.py by `make sync-client`: change it there.

from __future__ import annotations

from dropaudit_client.calls.base import SyncCalls
from dropaudit_formats.writing import Form
from dropaudit_proto.v1 import audit_pb2 as pb


class ReportCalls(SyncCalls):
    """Reports of audits and of runs."""

    def render_report(self, name: str, form: Form, *, link_prefix: str = "") -> str:
        """Return the report of an audit that has finished, or of a run however far it is, as a document.

        Args:
            name: `audits/{audit}` or `suites/{suite}/runs/{run}`.
            link_prefix: beginning of the addresses that a run's members are linked with: that of the dashboard.
        """
        request = pb.RenderReportRequest(name=name, form=form.name, link_prefix=link_prefix)
        pieces = self._stream(self._stub.RenderReport, request)
        return b"".join([each.chunk for each in pieces]).decode()
