"""Handlers of the calls about audits. They work on records and block, so they run in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from dropaudit.shortening import cut
from dropaudit_server.handlers.tensor_store import TensorStore
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.requests.audit_requests import RequestedAudit
from dropaudit_server.requests.tensors import PutTensors
from dropaudit_store.audits.lifecycle import AuditStore, AuditToCreate
from dropaudit_store.audits.listing import AuditList, Query
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.titles import file_names, title
from dropaudit_store.records import AuditRecord, AuditRequest, AuditState
from dropaudit_store.shared.byte_limits import NAME_BYTES


class AuditHandlers:
    """Audits, over the store. Raises the store's errors."""

    def __init__(
        self,
        audits: AuditStore,
        listed: AuditList,
        models: ModelStore,
        tensors: TensorStore,
        wake_ups: WakeUps,
        trace: Callable[[], str] = lambda: "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._trace = trace
        self._audits = audits
        self._listed = listed
        self._models = models
        self._tensors = tensors
        self._wake_ups = wake_ups
        self._clock = clock

    def create(self, asked: RequestedAudit) -> AuditRecord:
        """Accept an audit. Raises ModelNotFound, RequestIdReused and QueueFull."""
        return self.create_many([asked])[0]

    def create_many(self, asked: Sequence[RequestedAudit]) -> list[AuditRecord]:
        """Accept audits, all or none: first their records, then the wake-up calls, which may get lost.

        Raises:
            ModelNotFound: a model is not stored.
            RequestIdReused: a request id belongs to another request.
            QueueFull: too many audits wait.
            RecordTooLarge: a request takes more than is kept of one.
            InvalidRequest: an archive of tensors is damaged.
        """
        if all(each.validate_only for each in asked):
            return [self._unsaved(each) for each in asked]
        self._require_models(asked)
        names = self._names(asked)
        wanted = [AuditToCreate(_request(each, self._tensors.put, names), each.request_id) for each in asked]
        records = self._audits.create_many(wanted, check_models=True, trace=self._trace())
        self._wake_ups.audits([record for record in records if record.state is AuditState.QUEUED])
        return records

    def _require_models(self, asked: Sequence[RequestedAudit]) -> None:
        """Raise ModelNotFound before tensors are stored for nothing; what counts is the look when audits are made."""
        for each in asked:
            if each.asked.tensors:
                for sha256 in each.asked.models:
                    self._models.get(sha256)

    def _unsaved(self, asked: RequestedAudit) -> AuditRecord:
        for sha256 in asked.asked.models:
            self._models.get(sha256)
        request = _request(asked, self._tensors.describe, self._names([asked]))
        return AuditRecord(id="", request=request, state=AuditState.QUEUED, create_time=self._clock())

    def _names(self, asked: Sequence[RequestedAudit]) -> dict[str, str]:
        """Return the name of each stored model that is asked for, by its SHA-256."""
        digests = {sha256 for each in asked for sha256 in each.asked.models}
        return {record.sha256: record.display_name for record in self._models.find(digests)}

    def get(self, audit_id: str) -> AuditRecord:
        """Return an audit. Raises AuditNotFound."""
        return self._audits.get(audit_id)

    def page(self, query: Query, count: int, *, whole: bool) -> tuple[list[AuditRecord], str]:
        """Return a page of audits and the cursor of the next; without whole reports unless they are wanted."""
        return self._listed.page(query, count, whole=whole)

    def cancel(self, audit_id: str) -> AuditRecord:
        """Cancel an audit. Raises AuditNotFound."""
        return self._audits.cancel(audit_id)

    def delete(self, audit_id: str) -> None:
        """Delete a finished audit. Raises AuditNotFound and AuditNotFinished."""
        self._audits.delete(audit_id)


def _request(asked: RequestedAudit, put: PutTensors, models: Mapping[str, str]) -> AuditRequest:
    spec = asked.spec(put)
    names = file_names(spec.subject, models)
    if asked.display_name and len(names) == 1:
        # Content may have several names: what counts is what the caller calls it.
        names = (cut(asked.display_name, NAME_BYTES),)
    return AuditRequest(
        spec=spec,
        labels=asked.labels,
        priority=asked.priority,
        display_name=asked.display_name or title(names),
        names=names if any(names) else (),
    )
