"""Changes since an earlier report of several files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from dropaudit.changes import NotMade, Outcome, RunChange, compare_runs
from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit.report import from_json
from dropaudit_formats.results import Result

_ONE = ""


def read_outcomes(path: Path) -> dict[str, Outcome]:
    """Read what `dropaudit run --format json` wrote: how each file ended, by name; of one file by an empty name.

    Raises:
        UnreadableFile: the file cannot be read.
        InvalidArgument: it holds something else.
    """
    try:
        document = json.loads(path.read_bytes())
        files = document.get("files", [{"file": _ONE, "report": document}])
        return {str(each["file"]): _outcome(each) for each in files}
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror or error}", path=str(path)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, msgspec.ValidationError) as error:
        raise InvalidArgument(f"{path} is not a report of `dropaudit run --format json`", field="since") from error


def _outcome(file: Mapping[str, Any]) -> Outcome:
    if "error" in file:
        return NotMade(reason=str(file["error"]["reason"]), message=str(file["error"]["message"]))
    return from_json(file["report"])


def changed(before: dict[str, Outcome], results: Sequence[Result], alpha: float) -> RunChange:
    """Compare files by their names; the report of one file is about the one file there is now."""
    if _ONE in before and len(results) == 1:
        before = {results[0].name: before[_ONE]}
    return compare_runs(before, {each.name: each.outcome for each in results}, alpha=alpha)
