"""Measurements of the audits of a display name: a series over versions and over runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from google.protobuf import json_format

from dropaudit.changes.movement import Measure, measures_of
from dropaudit.report import from_json, to_json
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.naming.requests import require_name
from dropaudit_server.requests.names import resource_id
from dropaudit_server.requests.paging import Page, fitting, page_of
from dropaudit_server.requests.violations import Violations
from dropaudit_server.responses import VERDICT, timestamp
from dropaudit_store.audits.conditions import And, Has
from dropaudit_store.audits.listing import AuditList, Query
from dropaudit_store.audits.terms import name_term, state_term
from dropaudit_store.records import AuditRecord, AuditState

_LARGEST_PAGE = 100
_QUANTITIES = ("", "keepProb", "scale", "scaleFactor")


@dataclass(frozen=True, slots=True)
class AskedHistory:
    """A checked GetModelHistory."""

    name: str
    suite: str
    subject: str
    quantity: str
    page: Page


def read_history(request: pb.GetModelHistoryRequest) -> AskedHistory:
    """Read a GetModelHistory. Raises InvalidRequest."""
    violations = Violations()
    require_name(request.display_name, violations)
    suite = resource_id(request.suite, "suites", "suite") if request.suite else ""
    if request.quantity not in _QUANTITIES:
        violations.add("quantity", "must be keepProb, scale or scaleFactor, or empty for all of them")
    scope = ("history", request.display_name, suite, request.subject, request.quantity)
    page = page_of(request, *scope, violations=violations)
    violations.check()
    return AskedHistory(request.display_name, suite, request.subject, request.quantity, page)


class HistoryHandlers:
    """Reads series."""

    def __init__(self, listed: AuditList) -> None:
        self._listed = listed

    def page(self, asked: AskedHistory) -> tuple[list[AuditRecord], str]:
        """Return audits that succeeded, newest first, and the cursor of the next page."""
        condition = And((Has(name_term(asked.name)), Has(state_term(AuditState.SUCCEEDED))))
        query = Query(condition, after=asked.page.cursor)
        found, following = self._listed.page(query, min(asked.page.size, _LARGEST_PAGE))
        prefix = f"suites/{asked.suite}/runs/" if asked.suite else ""
        return [each for each in found if each.request.run.startswith(prefix)], following


def history(found: Iterable[AuditRecord], following: str, asked: AskedHistory) -> pb.GetModelHistoryResponse:
    """Return the message of a page of a series."""
    points, cursor = fitting(((_point(each, asked), each.id) for each in found), following)
    return pb.GetModelHistoryResponse(points=points, next_page_token=asked.page.token(cursor))


def _point(record: AuditRecord, asked: AskedHistory) -> pb.ModelHistoryPoint:
    report = from_json(record.report or {})
    artifacts = report.execution.artifacts
    message = pb.ModelHistoryPoint(
        audit=f"audits/{record.id}",
        run=record.request.run,
        version=record.request.model_version,
        sha256=artifacts[0].sha256 if artifacts else "",
        end_time=timestamp(record.end_time),
        codes=dict.fromkeys(each.code for each in report.findings),
        runtime_version=report.execution.runtime_version,
    )
    message.verdict = VERDICT[report.verdict.value]
    message.measurements.extend(map(_measurement, _asked(measures_of(report), asked)))
    return message


def _asked(measures: Iterable[Measure], asked: AskedHistory) -> Iterator[Measure]:
    for each in measures:
        if asked.subject in ("", each.subject) and asked.quantity in ("", each.quantity.value):
            yield each


def _measurement(found: Measure) -> pb.Measurement:
    interval = json_format.ParseDict(to_json(found.value), pb.Interval())
    return pb.Measurement(subject=found.subject, quantity=found.quantity.value, interval=interval)
