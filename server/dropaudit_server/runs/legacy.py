"""Runs that an earlier version made: their heads name their audits, and nothing was counted."""

from __future__ import annotations

from collections.abc import Mapping

from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.paging import fitting
from dropaudit_server.responses import VERDICT
from dropaudit_store.audits.reader import Standing
from dropaudit_store.records import Run
from dropaudit_store.runs.verdicts import gravest

_GONE = "the audit was deleted, or has expired"


def set_legacy(message: pb.Run, record: Run, audits: Mapping[str, Standing], *, whole: bool) -> None:
    """Set a run's state, verdict, end and audits from how its audits stand, by id.

    An audit that is no longer there had finished; what it found is not known, and so no verdict is.
    """
    known = list(audits.values())
    finished = all(each.state.is_final for each in known)
    complete = finished and len(known) == len(record.audits)
    message.state = pb.Run.FINISHED if finished else pb.Run.RUNNING
    if complete:
        message.verdict = VERDICT[gravest([each.verdict or "FAIL" for each in known])]
    if finished:
        end = max((each.end_time or record.create_time for each in known), default=record.create_time)
        message.end_time.FromMilliseconds(round(end * 1000))
        duration = message.end_time.ToMilliseconds() - message.create_time.ToMilliseconds()
        message.duration.FromMilliseconds(duration)
    if whole:
        _set_audits(message, record, audits)


def _set_audits(message: pb.Run, record: Run, audits: Mapping[str, Standing]) -> None:
    message.audits.extend(_audit(audit_id, audits.get(audit_id)) for audit_id in record.audits)
    _, cut_at = fitting(((each, each.audit) for each in message.audits), "")
    for each in message.audits if cut_at else ():
        each.ClearField("summary")


def _audit(audit_id: str, standing: Standing | None) -> pb.RunAudit:
    if standing is None:
        return pb.RunAudit(audit=f"audits/{audit_id}", summary=_GONE)
    return pb.RunAudit(
        audit=f"audits/{audit_id}",
        state=standing.state.value,
        verdict=standing.verdict or None,
        summary=standing.summary,
    )
