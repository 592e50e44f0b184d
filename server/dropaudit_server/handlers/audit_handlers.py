"""Handlers of the calls about audits. They work on records and block, so they run in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from dropaudit.shortening import cut
from dropaudit_server.handlers.tensor_store import TensorStore
from dropaudit_server.handlers.wakeups import WakeUps
from dropaudit_server.requests.audit_requests import RequestedAudit
from dropaudit_store.audits.creation import AuditToCreate
from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.audits.listing import AuditList, Query
from dropaudit_store.errors import ModelRenamed
from dropaudit_store.models import ModelStore
from dropaudit_store.naming.titles import file_names, title
from dropaudit_store.records import AuditRecord, AuditRequest, AuditState, Spec
from dropaudit_store.shared.byte_limits import NAME_BYTES

_MOST_REMEMBERED = 4096


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
        self._names = _RememberedNames(models)
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
        specs = [each.spec(self._tensors.put) for each in asked]
        digests = {sha256 for each in asked for sha256 in each.asked.models}
        names = self._names.of(digests)
        try:
            records = self._stored(asked, specs, names, believed=names)
        except ModelRenamed:
            records = self._stored(asked, specs, self._names.looked_up(digests))
        self._wake_ups.audits([record for record in records if record.state is AuditState.QUEUED])
        return records

    def _stored(
        self,
        asked: Sequence[RequestedAudit],
        specs: Sequence[Spec],
        names: Mapping[str, str],
        believed: Mapping[str, str] | None = None,
    ) -> list[AuditRecord]:
        requests = [_request(each, spec, names) for each, spec in zip(asked, specs, strict=True)]
        wanted = [AuditToCreate(new, each.request_id) for new, each in zip(requests, asked, strict=True)]
        return self._audits.create_many(wanted, check_models=True, names=believed, trace=self._trace())

    def _require_models(self, asked: Sequence[RequestedAudit]) -> None:
        """Raise ModelNotFound before tensors are stored for nothing; what counts is the look when audits are made."""
        for each in asked:
            if each.asked.tensors:
                for sha256 in each.asked.models:
                    self._models.get(sha256)

    def _unsaved(self, asked: RequestedAudit) -> AuditRecord:
        names = {sha256: self._models.get(sha256).display_name for sha256 in asked.asked.models}
        request = _request(asked, asked.spec(self._tensors.describe), names)
        return AuditRecord(id="", request=request, state=AuditState.QUEUED, create_time=self._clock())

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


class _RememberedNames:
    """Names of stored models by SHA-256, as they were last seen: the store is asked once, and tells of changes."""

    def __init__(self, models: ModelStore) -> None:
        self._models = models
        self._known: dict[str, str] = {}

    def of(self, digests: Iterable[str]) -> dict[str, str]:
        """Return the names of those models that are stored, or were."""
        found = {sha256: self._known.get(sha256) for sha256 in digests}
        known = {sha256: name for sha256, name in found.items() if name is not None}
        return {**known, **self.looked_up(found.keys() - known.keys())}

    def looked_up(self, digests: Iterable[str]) -> dict[str, str]:
        """Return the names of those models that are stored now."""
        found = {record.sha256: record.display_name for record in self._models.find(digests)}
        if len(self._known) + len(found) > _MOST_REMEMBERED:
            self._known.clear()
        self._known.update(found)
        return found


def _request(asked: RequestedAudit, spec: Spec, models: Mapping[str, str]) -> AuditRequest:
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
