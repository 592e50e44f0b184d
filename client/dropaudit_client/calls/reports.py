"""Reports as documents, which the service writes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

from dropaudit_client.calls.base import AsyncCalls, SyncCalls
from dropaudit_formats.writing import Form
from dropaudit_proto.v1 import audit_pb2 as pb

T = TypeVar("T")


class ReportCalls(SyncCalls):
    """Reports of audits and of runs."""

    @abstractmethod
    def _stream(self, method: Callable[..., Iterator[T]], request: object) -> Iterator[T]:
        """Yield a stream's messages. Raises ServiceError."""

    def render_report(self, name: str, form: Form, *, link_prefix: str = "") -> str:
        """Return the report of an audit that has finished, or of a run however far it is, as a document.

        Args:
            name: `audits/{audit}` or `suites/{suite}/runs/{run}`.
            link_prefix: beginning of the addresses that a run's members are linked with: that of the dashboard.
        """
        pieces = self._stream(self._stub.RenderReport, _request(name, form, link_prefix))
        return b"".join(each.chunk for each in pieces).decode()


class AsyncReportCalls(AsyncCalls):
    """Reports of audits and of runs. Methods and arguments are those of ReportCalls."""

    @abstractmethod
    def _stream(self, method: Callable[..., AsyncIterator[T]], request: object) -> AsyncIterator[T]:
        """Yield a stream's messages. Raises ServiceError."""

    async def render_report(self, name: str, form: Form, *, link_prefix: str = "") -> str:
        """Return the report of an audit that has finished, or of a run however far it is, as a document."""
        pieces = self._stream(self._stub.RenderReport, _request(name, form, link_prefix))
        return b"".join([each.chunk async for each in pieces]).decode()


def _request(name: str, form: Form, link_prefix: str) -> pb.RenderReportRequest:
    return pb.RenderReportRequest(name=name, form=form.name, link_prefix=link_prefix)
