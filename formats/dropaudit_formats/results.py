"""What became of each of several subjects, and how they are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dropaudit.changes import NotMade, Outcome

NOT_MADE = "NOT MADE"
_WORDS = ("FAIL", NOT_MADE, "INCONCLUSIVE", "WARN", "PASS")


@dataclass(frozen=True, slots=True)
class Result:
    """One subject: `name` as it is shown, and its report or why there is none."""

    name: str
    outcome: Outcome

    @property
    def word(self) -> str:
        """The verdict, or that there is none."""
        return NOT_MADE if isinstance(self.outcome, NotMade) else self.outcome.verdict.value

    @property
    def summary(self) -> str:
        """The report's sentence, or the reason why there is none."""
        return self.outcome.message if isinstance(self.outcome, NotMade) else self.outcome.summary


def counts_of(results: Sequence[Result]) -> dict[str, int]:
    """Return how many files have each verdict, the gravest first; those that none has are left out."""
    counted = Counter(result.word for result in results)
    return {word: counted[word] for word in _WORDS if word in counted}


def total(results: Sequence[Result]) -> str:
    """Return the counts in words."""
    files = "1 file" if len(results) == 1 else f"{len(results)} files"
    return f"{files}: " + ", ".join(f"{count} {word}" for word, count in counts_of(results).items())
