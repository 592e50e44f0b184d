"""Runs programs in the place of audits."""

from __future__ import annotations

from collections.abc import Callable

from dropaudit.files.model_files import ModelFiles
from dropaudit_worker.sandbox.subject_files import Content
from dropaudit_worker.sandbox.wire import Ending, Job, Made, Told


def run(_: Job, content: list[Content], tell: Callable[[Told], None], is_stopped: Callable[[], bool]) -> Ending:
    """Run a program, and return what it leaves in `said`, or the name of what it raises."""
    names: dict[str, object] = {"said": None, "tell": tell, "is_stopped": is_stopped}
    assert not isinstance(content[0], ModelFiles)
    try:
        exec(bytes(content[0]).decode(), names)
    except Exception as error:
        names["said"] = type(error).__name__
    return Made(report={"said": names["said"]})
