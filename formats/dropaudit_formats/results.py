"""The results of several subjects, and how they are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from dropaudit.changes import MemberChange, NotMade, Outcome, Series
from dropaudit.report import Finding

NOT_MADE = "NOT MADE"
_WORDS = ("FAIL", NOT_MADE, "INCONCLUSIVE", "WARN", "PASS")
_GRAVEST_FIRST = (NOT_MADE, "FAIL", "INCONCLUSIVE", "WARN")


class Result(msgspec.Struct, frozen=True):
    """One subject: `name` as it is shown, and its report or why there is none.

    Attributes:
        audit: name of its audit in a service, `audits/…`.
        link: where the report of that audit is; empty where nobody knows.
        waiting: state of an audit that has not ended; the outcome then says so too.
        is_reused: whether the report is that of an earlier audit of the same work.
        change, since_baseline: what changed since the run before, and since the baseline; None: nothing did.
        history: the run and the word of earlier audits of the subject, oldest first, this one last.
        series: what was measured in them, oldest first.
    """

    name: str
    outcome: Outcome
    audit: str = ""
    link: str = ""
    waiting: str = ""
    is_reused: bool = False
    change: MemberChange | None = None
    since_baseline: MemberChange | None = None
    history: tuple[tuple[str, str], ...] = ()
    series: tuple[Series, ...] = ()

    @property
    def word(self) -> str:
        """The verdict, or that there is none, or none yet."""
        return self.waiting or word_of(self.outcome)

    @property
    def summary(self) -> str:
        """The report's sentence, or the reason why there is none."""
        return self.outcome.message if isinstance(self.outcome, NotMade) else self.outcome.summary

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings; none where there is no report."""
        return () if isinstance(self.outcome, NotMade) else self.outcome.findings


def word_of(outcome: Outcome) -> str:
    """Return the verdict, or that there is none."""
    return NOT_MADE if isinstance(outcome, NotMade) else outcome.verdict.value


def counts_of(results: Sequence[Result]) -> dict[str, int]:
    """Return how many subjects have each verdict, the gravest first; those that none has are left out."""
    counted = Counter(result.word for result in results)
    words = dict.fromkeys((*_WORDS, *sorted(counted)))
    return {word: counted[word] for word in words if word in counted}


def total(results: Sequence[Result], kind: str = "file") -> str:
    """Return the counts in words."""
    subjects = f"1 {kind}" if len(results) == 1 else f"{len(results)} {kind}s"
    return f"{subjects}: " + ", ".join(f"{count} {word}" for word, count in counts_of(results).items())


def gravity(word: str) -> int:
    """Return a number by which words stand gravest first, in the order of the exit statuses."""
    return _GRAVEST_FIRST.index(word) if word in _GRAVEST_FIRST else len(_GRAVEST_FIRST) + (word == "PASS")
