"""What became of each file, and what that makes of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dropaudit.changes import NotMade, Outcome, RunChange
from dropaudit.report import to_json
from dropaudit_client.terminal.outcome import Exit, FailOn, exit_status, gravest_of

NOT_MADE = "NOT MADE"
_WORDS = ("FAIL", NOT_MADE, "INCONCLUSIVE", "WARN", "PASS")


@dataclass(frozen=True, slots=True)
class Result:
    """One file: `name` as it is shown, and its report or why there is none."""

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

    def status(self, fail_on: FailOn) -> Exit:
        """Return the exit status that this file alone would give."""
        return Exit.NOT_MADE if isinstance(self.outcome, NotMade) else exit_status(self.outcome.verdict, fail_on)


@dataclass(frozen=True, slots=True)
class Batch:
    """All files, in their order, and what changed since an earlier report where there is one."""

    results: tuple[Result, ...]
    change: RunChange | None = None


def status_of(results: Sequence[Result], fail_on: FailOn = FailOn.FAIL) -> Exit:
    """Return one exit status: 2 if any audit could not be made, else 1 if any fails, else 3 if any is undecided."""
    return gravest_of(result.status(fail_on) for result in results)


def counts_of(results: Sequence[Result]) -> dict[str, int]:
    """Return how many files have each verdict, the gravest first; those that none has are left out."""
    counted = Counter(result.word for result in results)
    return {word: counted[word] for word in _WORDS if word in counted}


def total(results: Sequence[Result]) -> str:
    """Return the counts in words."""
    files = "1 file" if len(results) == 1 else f"{len(results)} files"
    return f"{files}: " + ", ".join(f"{count} {word}" for word, count in counts_of(results).items())


def batch_document(batch: Batch) -> dict[str, Any]:
    """Return all reports as JSON knows them, in the order of the files."""
    files = [_file(result) for result in batch.results]
    changes = {} if batch.change is None else {"changes": to_json(batch.change)}
    return {"counts": counts_of(batch.results), "files": files, **changes}


def _file(result: Result) -> dict[str, Any]:
    if isinstance(result.outcome, NotMade):
        error = {"reason": result.outcome.reason, "message": result.outcome.message}
        return {"file": result.name, "error": error}
    return {"file": result.name, "report": to_json(result.outcome)}
