"""Changes of one subject from one audit to the next."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from dropaudit.changes.alignment import new_names
from dropaudit.changes.found import FindingChanges, compare_findings
from dropaudit.changes.movement import Movement, movements, widening
from dropaudit.changes.outcomes import NotMade, Outcome, digests_of
from dropaudit.plan import DEFAULT_ALPHA
from dropaudit.report import Report, Verdict


class Kind(StrEnum):
    """The change of the subject itself. REPLACED: its files have another digest."""

    ADDED = "ADDED"
    REMOVED = "REMOVED"
    REPLACED = "REPLACED"
    KEPT = "KEPT"


class Status(StrEnum):
    """The change of a subject, or of a run, in a word; the first that applies, from below to above.

    FIRST: there is nothing to compare with. FAILED: it fails now and did not. RECOVERED: PASS or WARN, after FAIL,
    INCONCLUSIVE or an audit that could not be made. CHANGED: anything else is different. UNCHANGED: nothing is.
    """

    UNCHANGED = "UNCHANGED"
    CHANGED = "CHANGED"
    RECOVERED = "RECOVERED"
    FAILED = "FAILED"
    FIRST = "FIRST"


class Standing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a subject stood in one run: a verdict, or the reason why there is none."""

    verdict: Verdict | None = None
    reason: str | None = None
    summary: str = ""
    digests: tuple[str, ...] = ()
    runtime_version: str = ""
    provider: str = ""

    @property
    def is_failing(self) -> bool:
        """Whether the verdict is FAIL, or the audit could not be made."""
        return self.verdict is Verdict.FAIL or self.verdict is None

    @property
    def is_good(self) -> bool:
        """Whether the verdict is PASS or WARN. INCONCLUSIVE is neither good nor failing."""
        return self.verdict in (Verdict.PASS, Verdict.WARN)


class MemberChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One subject, before and after; `renamed` maps names of sites and outputs before to those after."""

    member: str
    kind: Kind
    status: Status
    before: Standing | None = None
    after: Standing | None = None
    findings: FindingChanges = FindingChanges()
    moved: tuple[Movement, ...] = ()
    renamed: dict[str, str] = {}

    @property
    def runtime_changed(self) -> bool:
        """Whether another version of the runtime ran it."""
        versions = {each.runtime_version for each in (self.before, self.after) if each and each.runtime_version}
        return len(versions) > 1

    @property
    def is_news(self) -> bool:
        """Whether anything is to be told."""
        return self.status is not Status.UNCHANGED


def compare_members(
    member: str, before: Outcome | None, after: Outcome | None, *, alpha: float = DEFAULT_ALPHA, comparisons: int = 1
) -> MemberChange:
    """Compare two audits of one subject.

    Args:
        before: how it ended then; None where it was not there.
        after: how it ended now; None where it is no longer there.
        alpha: level of the audits, the larger of the two: the chance that anything unmoved is said to have moved.
        comparisons: as many subjects are compared at once, which share this alpha.

    Raises:
        ValueError: it was neither there nor is, or alpha or comparisons are out of range.
    """
    if before is None and after is None:
        raise ValueError(f"{member!r} is in neither run")
    old, new = _report(before), _report(after)
    renamed = new_names(old, new) if old and new else {}
    change = MemberChange(
        member=member,
        kind=_kind(before, after),
        status=Status.UNCHANGED,
        before=_standing(before),
        after=_standing(after),
        findings=FindingChanges() if _is_unknown(before, after) else compare_findings(old, new, renamed),
        moved=movements(old, new, renamed, widening(comparisons, alpha)) if old and new else (),
        renamed=renamed,
    )
    return msgspec.structs.replace(change, status=status_of(change))


def _is_unknown(before: Outcome | None, after: Outcome | None) -> bool:
    """Whether an audit could not be made: what it would have found is not known, so nothing is new or fixed."""
    return isinstance(before, NotMade) or isinstance(after, NotMade)


def _report(outcome: Outcome | None) -> Report | None:
    return outcome if isinstance(outcome, Report) else None


def _kind(before: Outcome | None, after: Outcome | None) -> Kind:
    if before is None:
        return Kind.ADDED
    if after is None:
        return Kind.REMOVED
    old, new = digests_of(before), digests_of(after)
    return Kind.REPLACED if old and new and old != new else Kind.KEPT


def _standing(outcome: Outcome | None) -> Standing | None:
    if outcome is None:
        return None
    if isinstance(outcome, NotMade):
        return Standing(reason=outcome.reason, summary=outcome.message, digests=outcome.digests)
    return Standing(
        verdict=outcome.verdict,
        summary=outcome.summary,
        digests=digests_of(outcome),
        runtime_version=outcome.execution.runtime_version,
        provider=outcome.execution.provider,
    )


def status_of(change: MemberChange) -> Status:
    """Return what all else that is known of a change makes of its status."""
    before, after = change.before, change.after
    if after and after.is_failing and not (before and before.is_failing):
        return Status.FAILED
    if before and after and after.is_good and not before.is_good:
        return Status.RECOVERED
    if change.kind is not Kind.KEPT or change.findings.is_news or change.moved or change.runtime_changed:
        return Status.CHANGED
    return Status.CHANGED if _said(before) != _said(after) else Status.UNCHANGED


def _said(standing: Standing | None) -> tuple[Verdict | None, str | None, str] | None:
    return None if standing is None else (standing.verdict, standing.reason, standing.provider)
