"""Changes from one run to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from dropaudit.changes.members import MemberChange, Standing, Status, compare_members
from dropaudit.changes.outcomes import Outcome, is_failing
from dropaudit.plan import DEFAULT_ALPHA


class Trigger(StrEnum):
    """When a notification of a run is wanted.

    ALWAYS: of every run. ON_CHANGE: something differs from the run before; of a first run only when it fails.
    ON_FAILURE: a member ended FAIL or could not be audited, in this run. ON_RECOVERY: no member fails or is undecided,
    and one did in the run before.
    """

    ALWAYS = "ALWAYS"
    ON_CHANGE = "ON_CHANGE"
    ON_FAILURE = "ON_FAILURE"
    ON_RECOVERY = "ON_RECOVERY"


class RunChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The changes between two runs; members without any are counted and left out.

    Attributes:
        failing: whether a member fails, new or not.
        members: those with news, in the order of the later run, then those that went.
        unchanged: how many have none.
        counts: members by `Kind` and by `Status`; words that no member has are left out.
        runtime_versions: of the run before, and of this one, where they differ.
    """

    status: Status
    failing: bool
    members: tuple[MemberChange, ...] = ()
    unchanged: int = 0
    counts: dict[str, int] = {}
    runtime_versions: tuple[tuple[str, ...], tuple[str, ...]] | None = None


Members = Mapping[str, Outcome]


def compare_runs(before: Members | None, after: Members, *, alpha: float = DEFAULT_ALPHA) -> RunChange:
    """Compare two runs of a suite.

    Args:
        before: how each member ended, by what stays the same from run to run; None when there is no run before.
        after: the same of this run.
        alpha: level of the audits: the chance that anything in the whole comparison is said to have moved and has not.
    """
    if before is None:
        return RunChange(status=Status.FIRST, failing=any(map(is_failing, after.values())))
    comparisons = max(1, sum(name in before for name in after))
    names = [*after, *(name for name in before if name not in after)]
    return combined(
        compare_members(name, before.get(name), after.get(name), alpha=alpha, comparisons=comparisons) for name in names
    )


def combined(changes: Iterable[MemberChange]) -> RunChange:
    """Combine what changed about each member of either run; they are read one by one, and those without news let go.

    Whoever compares members one by one gives `compare_members` the number of members that both runs have.
    """
    books = _Books()
    for change in changes:
        books.add(change)
    return RunChange(
        status=books.status(),
        failing=books.after.failing,
        members=tuple(books.news),
        unchanged=books.unchanged,
        counts=dict(books.counts),
        runtime_versions=books.runtime_versions(),
    )


@dataclass(slots=True)
class _Side:
    """The outcomes of all members of one run."""

    members: int = 0
    failing: bool = False
    all_good: bool = True
    runtime_versions: set[str] = field(default_factory=set)

    @property
    def is_good(self) -> bool:
        """Whether the run's verdict is PASS or WARN; that of a run without members is INCONCLUSIVE."""
        return self.all_good and self.members > 0

    def add(self, standing: Standing | None) -> None:
        if standing is None:
            return
        self.members += 1
        self.failing |= standing.is_failing
        self.all_good &= standing.is_good
        self.runtime_versions |= {standing.runtime_version} - {""}


@dataclass(slots=True)
class _Books:
    """Adds changes up."""

    before: _Side = field(default_factory=_Side)
    after: _Side = field(default_factory=_Side)
    news: list[MemberChange] = field(default_factory=list)
    unchanged: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, change: MemberChange) -> None:
        self.before.add(change.before)
        self.after.add(change.after)
        self.counts[change.kind.value] += 1
        self.counts[change.status.value] += 1
        if change.is_news:
            self.news.append(change)
        else:
            self.unchanged += 1

    def status(self) -> Status:
        if self.after.failing and not self.before.failing:
            return Status.FAILED
        if self.after.is_good and not self.before.is_good:
            return Status.RECOVERED
        return Status.CHANGED if self.news else Status.UNCHANGED

    def runtime_versions(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        before, after = (tuple(sorted(side.runtime_versions)) for side in (self.before, self.after))
        return (before, after) if before and after and before != after else None


def triggers_of(change: RunChange) -> frozenset[Trigger]:
    """Return the triggers that a run pulls."""
    changed = change.failing if change.status is Status.FIRST else change.status is not Status.UNCHANGED
    pulled = {
        Trigger.ALWAYS: True,
        Trigger.ON_CHANGE: changed,
        Trigger.ON_FAILURE: change.failing,
        Trigger.ON_RECOVERY: change.status is Status.RECOVERED,
    }
    return frozenset(trigger for trigger, holds in pulled.items() if holds)
