"""From records of runs to messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from google.protobuf import json_format

from dropaudit.shortening import cut
from dropaudit_proto.v1 import audit_pb2 as pb
from dropaudit_server.requests.paging import Page, fitting
from dropaudit_server.responses import VERDICT, timestamp
from dropaudit_server.runs.handlers import RunStatus
from dropaudit_server.runs.legacy import set_legacy
from dropaudit_store.audits.ids import member as member_place
from dropaudit_store.audits.reader import Standing
from dropaudit_store.records import AuditState, Run, RunPhase
from dropaudit_store.runs.records import Assigned, MemberVerdict, ResolvedFile, RunCounts, RunMember
from dropaudit_store.runs.verdicts import verdict_of
from dropaudit_store.shared.byte_limits import NAME_BYTES

_PHASES = {
    RunPhase.RESOLVING: pb.Run.RESOLVING,
    RunPhase.WAITING: pb.Run.WAITING,
    RunPhase.SKIPPED: pb.Run.SKIPPED,
}
_GONE = "the audit was deleted, or has expired"


def runs(statuses: Iterable[RunStatus], following: str, page: Page) -> pb.ListRunsResponse:
    """Return the message of a page of runs."""
    messages = ((run(each, whole=page.whole), member_place(each.run.create_time, each.run.id)) for each in statuses)
    found, cursor = fitting(messages, following)
    return pb.ListRunsResponse(runs=found, next_page_token=page.token(cursor))


def run(status: RunStatus, *, whole: bool = True) -> pb.Run:
    """Return the message of a run. Summaries are left out where all of them would be too large."""
    record = status.run
    message = pb.Run(
        name=record.name,
        trigger=record.trigger.value,
        create_time=timestamp(record.create_time),
        due_time=timestamp(record.due_time),
        reason=record.reason,
        notes=record.notes,
        caller=record.caller,
    )
    if record.audits:
        set_legacy(message, record, status.audits, whole=whole)
        return message
    message.state = state_of(record, status.counts)
    if status.counts is not None:
        message.counts.CopyFrom(counts(status.counts))
        _set_end(message, status.counts)
        message.verdict = VERDICT[verdict_of(record, status.counts, status.result)]
    if whole:
        message.audits.extend(_without_too_much(list(_audits(status))))
    _set_comparisons(message, status, whole=whole)
    return message


def state_of(record: Run, found: RunCounts | None) -> pb.Run.State:
    """Return the state of a run."""
    if record.phase in _PHASES:
        return _PHASES[record.phase]
    if found is not None and found.end_time is None:
        return pb.Run.RUNNING
    return pb.Run.CANCELLED if record.phase is RunPhase.CANCELLED else pb.Run.FINISHED


def counts(found: RunCounts) -> pb.RunCounts:
    """Return the message of counts."""
    states = {state.value.lower(): found.states[state] for state in AuditState}
    verdicts = {name.lower(): number for name, number in found.verdicts.items()}
    return pb.RunCounts(total=found.total, reused=found.reused, **states, **verdicts)


def _set_end(message: pb.Run, found: RunCounts) -> None:
    if found.end_time is None:
        return
    message.end_time.FromMilliseconds(round(found.end_time * 1000))
    # Of the rounded instants, so that the three agree. Clocks of two machines may differ.
    duration = message.end_time.ToMilliseconds() - message.create_time.ToMilliseconds()
    message.duration.FromMilliseconds(max(0, duration))


def _set_comparisons(message: pb.Run, status: RunStatus, *, whole: bool) -> None:
    if status.result is None:
        return
    for found, field in ((status.result.comparison, "comparison"), (status.result.baseline, "baseline_comparison")):
        if found is not None:
            comparison = getattr(message, field)
            json_format.ParseDict(found, comparison, ignore_unknown_fields=True)
            comparison.SetInParent()
            if not whole:
                comparison.ClearField("members")


def comparison(found: dict[str, object]) -> pb.Comparison:
    """Return the message of what changed from one run to another."""
    return json_format.ParseDict(found, pb.Comparison(), ignore_unknown_fields=True)


def _audits(status: RunStatus) -> Iterator[pb.RunAudit]:
    judged = status.result.verdicts if status.result else {}
    for index, each in enumerate(status.members):
        assigned = status.assigned.get(index, Assigned())
        message = _audit(assigned, status.audits.get(assigned.audit), judged.get(str(index)))
        message.member.CopyFrom(member(each))
        yield message


def _audit(assigned: Assigned, standing: Standing | None, judged: MemberVerdict | None) -> pb.RunAudit:
    if not assigned.audit:
        state = assigned.state.value if assigned.state else None
        return pb.RunAudit(state=state, summary=cut(assigned.reason, NAME_BYTES))
    name = f"audits/{assigned.audit}"
    if standing is None:
        return pb.RunAudit(audit=name, reused=assigned.reused, summary=_GONE)
    message = pb.RunAudit(audit=name, reused=assigned.reused, state=standing.state.value, summary=standing.summary)
    message.verdict = VERDICT[judged.verdict if judged else standing.verdict]
    if judged is not None:
        message.report_verdict = VERDICT[standing.verdict]
        message.accepted.extend(_accepted(judged))
    return message


def _accepted(judged: MemberVerdict) -> Iterator[pb.FindingChange]:
    for each in judged.accepted:
        yield json_format.ParseDict(each, pb.FindingChange(), ignore_unknown_fields=True)


def member(found: RunMember) -> pb.ResolvedMember:
    """Return the message of a member."""
    return pb.ResolvedMember(
        display_name=found.display_name, position=found.position, artifacts=map(_file, found.files)
    )


def _file(found: ResolvedFile) -> pb.ResolvedArtifact:
    return pb.ResolvedArtifact(
        display_name=found.display_name, sha256=found.sha256, version=found.version, uri=found.uri
    )


def _without_too_much(found: list[pb.RunAudit]) -> list[pb.RunAudit]:
    """Return the audits of a run, without what would make them too large for a message."""
    for field in ("summary", "accepted", "member"):
        _, cut_at = fitting(((each, "-") for each in found), "")
        if not cut_at:
            break
        for each in found:
            each.ClearField(field)
    return found
