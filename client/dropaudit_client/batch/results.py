"""The result of each file, and of all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from dropaudit.changes import Kind, NotMade, RunChange
from dropaudit.report import to_json
from dropaudit_client.terminal.outcome import Exit, FailOn, exit_status, gravest_of
from dropaudit_formats.results import Result, counts_of
from dropaudit_formats.runs.report import RunReport, Since


class Batch(msgspec.Struct, frozen=True):
    """All files, in their order, and what changed since an earlier report where there is one."""

    results: tuple[Result, ...]
    change: RunChange | None = None


def status_of(results: Sequence[Result], fail_on: FailOn = FailOn.FAIL) -> Exit:
    """Return one exit status: 2 if any audit could not be made, else 1 if any fails, else 3 if any is undecided."""
    return gravest_of(_status(result, fail_on) for result in results)


def _status(result: Result, fail_on: FailOn) -> Exit:
    return Exit.NOT_MADE if isinstance(result.outcome, NotMade) else exit_status(result.outcome.verdict, fail_on)


def batch_document(batch: Batch) -> dict[str, Any]:
    """Return all reports as JSON knows them, in the order of the files."""
    files = [_file(result) for result in batch.results]
    changes = {} if batch.change is None else {"changes": to_json(batch.change)}
    return {"counts": counts_of(batch.results), "files": files, **changes}


def run_report(batch: Batch) -> RunReport:
    """Return all files as a page and documents tell them, with what changed of each."""
    if batch.change is None:
        return RunReport(batch.results)
    news = {each.member: each for each in batch.change.members}
    results = tuple(replace(each, change=news.get(each.name)) for each in batch.results)
    removed = tuple(each for each in batch.change.members if each.kind is Kind.REMOVED)
    return RunReport(results, since=Since("", batch.change.status, removed))


def _file(result: Result) -> dict[str, Any]:
    if isinstance(result.outcome, NotMade):
        error = {"reason": result.outcome.reason, "message": result.outcome.message}
        return {"file": result.name, "error": error}
    return {"file": result.name, "report": to_json(result.outcome)}
