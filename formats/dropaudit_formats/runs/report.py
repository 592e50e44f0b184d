"""The report of many audits, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dropaudit.changes import Kind, MemberChange, Status
from dropaudit.changes.found import ChangedFinding
from dropaudit.changes.movement import Quantity
from dropaudit.report import Interval
from dropaudit_formats.results import Result, gravity, total

_SHORT = 8
_NEWS = ((Status.FAILED, "failed"), (Status.RECOVERED, "recovered"), (Status.CHANGED, "otherwise"))
QUANTITIES = {Quantity.KEEP_PROB: "keep rate", Quantity.SCALE: "scale", Quantity.SCALE_FACTOR: "scale factor"}


class Since(msgspec.Struct, frozen=True):
    """The run or report that all members were compared with.

    Attributes:
        base: name of the run; empty where it has none.
        status: what became of the run.
        removed: members that are not there any more.
        more: sentences about what was left out.
    """

    base: str
    status: Status
    removed: tuple[MemberChange, ...] = ()
    more: tuple[str, ...] = ()


class RunReport(msgspec.Struct, frozen=True):
    """Many audits: `title` is empty of files of one call, which have no name together.

    Attributes:
        kind: what one of the subjects is called.
        name: of the run, `suites/…/runs/…`.
        word: the verdict of all, or the state of a run that has not ended; empty where nobody made one.
        facts: what is known of how it was made, each with its label.
        notes: sentences about what is unusual.
    """

    results: tuple[Result, ...]
    kind: str = "file"
    title: str = ""
    name: str = ""
    word: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    since: Since | None = None
    baseline: Since | None = None

    @property
    def total(self) -> str:
        """The counts in words."""
        return total(self.results, self.kind)

    @property
    def gravest_first(self) -> list[Result]:
        """Subjects as people want to see them: the gravest first, and of equal ones those that changed."""
        return sorted(self.results, key=lambda each: (gravity(each.word), each.change is None))


def change_words(change: MemberChange | None) -> str:
    """Return in a few words what became of a subject; "unchanged" where nothing is known to have changed."""
    if change is None or change.status is Status.UNCHANGED:
        return "unchanged"
    told = [change.status.value.lower()]
    if change.kind is not Kind.KEPT:
        told = [change.kind.value.lower()] if change.status is Status.CHANGED else [*told, change.kind.value.lower()]
    before, after = change.before, change.after
    if before and after and before.verdict != after.verdict:
        told.append(f"{before.verdict or 'not made'} before")
    return ", ".join(told)


def details_of(change: MemberChange | None) -> list[str]:
    """Return what changed, a sentence each."""
    if change is None:
        return []
    found = change.findings
    told = [
        *_told("new", found.new),
        *_told("back", found.returned),
        *_told("fixed", found.fixed),
        *_told("accepted", found.newly_accepted),
    ]
    told += [
        f"{QUANTITIES[each.quantity]} of {each.subject}: {_value(each.before)} → {_value(each.after)}"
        for each in change.moved
    ]
    if change.runtime_changed and change.before and change.after:
        told.append(f"{change.before.runtime_version} → {change.after.runtime_version}")
    return told


def _told(word: str, findings: Iterable[ChangedFinding]) -> list[str]:
    """Return findings of one code in one sentence."""
    subjects: dict[str, list[str]] = {}
    for each in findings:
        subjects.setdefault(" ".join(filter(None, (each.code, each.slug))), []).extend(each.sites or (each.subject,))
    return [f"{word} {name} of {', '.join(found)}" for name, found in subjects.items()]


def _value(found: Interval) -> str:
    """Return a measure; the bounds of a constant tell nothing."""
    low, high = f"{found.lower:.4g}", f"{found.upper:.4g}"
    return low if low == high else str(found)


def sentence_of(since: Since | None, changes: Iterable[MemberChange | None], kind: str, what: str) -> str:
    """Return how many subjects changed since another run, which is called `what`; nothing without one."""
    if since is None:
        return ""
    news = [each for each in (*changes, *since.removed) if each is not None and each.is_news]
    if since.status is Status.FIRST:
        return "There is no earlier run to compare with."
    than = f"Compared with {what} ({short_name(since.base)})" if since.base else "Compared with the earlier report"
    if not news:
        return f"{than} nothing changed."
    counted = [(sum(each.status is status for each in news), word) for status, word in _NEWS]
    words = ", ".join(f"{count} {word}" for count, word in counted if count)
    return f"{than}, {len(news)} {kind}{' differs' if len(news) == 1 else 's differ'}: {words}."


def short_name(run: str) -> str:
    """Return the beginning of a run's id, by which people tell runs of a suite apart."""
    return run.rpartition("/")[2][:_SHORT]


def sentences(report: RunReport) -> Sequence[str]:
    """Return what changed since the run before, and since the baseline, in a sentence each."""
    found = (
        sentence_of(report.since, (each.change for each in report.results), report.kind, "the run before"),
        sentence_of(report.baseline, (each.since_baseline for each in report.results), report.kind, "the baseline"),
    )
    return [each for each in found if each]
