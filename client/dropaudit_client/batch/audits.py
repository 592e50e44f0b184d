"""The audit of one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from dropaudit.acceptance import accept
from dropaudit.audit import audit, ignore_progress
from dropaudit.changes import NotMade, Outcome
from dropaudit.errors import AuditError
from dropaudit.plan import OnProgress
from dropaudit.report import Report
from dropaudit.runtime.heap import keep_freed_memory
from dropaudit_client.batch.members import Member
from dropaudit_client.batch.settings import Settings
from dropaudit_client.cli.subject_arguments import artifact_or_pair

_PROCESS_BYTES = 300 << 20
# A model of 339 MiB is audited in 1.7 GiB.
_COPIES = 5


class Task(msgspec.Struct, frozen=True):
    """The subjects of a batch, how they are audited, and the instant at which acceptances must hold."""

    member: Member
    settings: Settings
    now: datetime


def report_of(task: Task, progress: OnProgress = ignore_progress) -> Report:
    """Audit a file. Raises AuditError."""
    keep_freed_memory()
    settings, member = task.settings, task.member
    subject = artifact_or_pair(member.path, settings.role, member.inference, settings.inputs, settings.keep_prob)
    report = audit(subject, settings.plan, progress=progress)
    return accept(report, settings.accepted, task.now, member=member.name)


def outcome_of(task: Task) -> Outcome:
    """Audit a file; one that cannot be audited does not stop the others."""
    try:
        return report_of(task)
    except AuditError as error:
        return NotMade(reason=error.reason, message=error.message)
    except Exception as error:
        return NotMade(reason="INTERNAL", message=f"unexpected {type(error).__name__}: {error}; please report this")


def memory_need(task: Task) -> int:
    """Return about how many bytes an audit takes: a process with the runtime, and the weights several times."""
    paths = [task.member.path, *([task.member.inference] if task.member.inference else [])]
    return _PROCESS_BYTES + _COPIES * sum(map(_size, paths))


def _size(path: Path) -> int:
    """Return the size of a model's file and of the weights that lie beside it under its name."""
    beside = [f"{path.name}.data", f"{path.name}_data", f"{path.stem}.data", f"{path.stem}.bin"]
    return sum(each.stat().st_size for each in (path, *map(path.with_name, beside)) if each.is_file())


def audit_all(tasks: Sequence[Task], processes: int, memory: int) -> Iterator[tuple[Task, Outcome]]:
    """Yield every task with its outcome as they come, see `side_by_side`."""
    # Imported here: one file needs no processes.
    from dropaudit_client.batch.side_by_side import side_by_side

    for task, outcome in side_by_side(outcome_of, tasks, processes, memory=memory, need=memory_need):
        yield task, outcome or NotMade(reason="CRASHED", message="the process that audited it died")
