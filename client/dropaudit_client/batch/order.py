"""All that one call of `dropaudit run` audits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from dropaudit.changes import Outcome
from dropaudit.errors import InvalidArgument, UnreadableFile
from dropaudit.plan import Provider, Role
from dropaudit_client.batch.audits import Task, audit_all
from dropaudit_client.batch.members import Member, Missing, is_one_file, members_of, pairs_of
from dropaudit_client.batch.settings import Given, settings_for
from dropaudit_formats.results import Result

if TYPE_CHECKING:
    from dropaudit_client.documents.local import LocalDocument

FILE_NAME = "dropaudit.yaml"


class Order(msgspec.Struct, frozen=True):
    """Audits to make, and arguments that named nothing; `is_single`: one file, whose report stands by itself."""

    tasks: tuple[Task, ...]
    missing: tuple[Missing, ...] = ()
    is_single: bool = False

    def results(self, jobs: int, done: Callable[[str], None]) -> list[Result]:
        """Audit side by side, and return what became of each file, in their order.

        Args:
            jobs: most audits at a time; 0: one for each core, and on a GPU one.
            done: told the name of each file when it is.
        """
        # Imported here: one file needs no processes.
        from dropaudit_client.batch.side_by_side import free_memory

        found: dict[str, Outcome] = {each.name: each.why for each in self.missing}
        for task, outcome in audit_all(self.tasks, self._processes(jobs), free_memory()):
            found[task.member.name] = outcome
            done(task.member.name)
        names = [*(task.member.name for task in self.tasks), *(each.name for each in self.missing)]
        return [Result(name, found[name]) for name in names]

    @property
    def alpha(self) -> float:
        """The largest chance of a false finding that any of the audits takes."""
        return max(task.settings.plan.alpha for task in self.tasks)

    def _processes(self, jobs: int) -> int:
        from dropaudit_client.batch.side_by_side import usable_cores

        on_gpu = any(task.settings.plan.provider is Provider.CUDA for task in self.tasks)
        return max(1, min(jobs or (1 if on_gpu else usable_cores()), len(self.tasks)))


def work_order(arguments: Sequence[str], inference: Path | None, given: Given, config: Path | None) -> Order:
    """Return what is to be audited.

    Args:
        arguments: files, folders and patterns; none: what the document names.
        inference: the other artifact of a pair.
        given: what the command line says about how.
        config: the document; None: `dropaudit.yaml` in the working folder, if it is there.

    Raises:
        UnreadableFile: the document cannot be read, or there is no file at all.
        InvalidDocument: it is wrong.
        InvalidArgument: nothing to audit is named, or a pair is not one file, or how it is audited is out of range.
    """
    path = config or (Path(FILE_NAME) if Path(FILE_NAME).is_file() else None)
    document = None if path is None else _read(path)
    folder = path.parent if path else Path()
    if is_one_file(arguments) or inference is not None:
        return Order((_pair_or_one(arguments, inference, given, document, folder),), is_single=True)
    found = members_of(arguments) if arguments else _of_document(document, folder)
    missing = tuple(each for each in found if isinstance(each, Missing))
    now = datetime.now(UTC)
    tasks = [_task(each, given, document, folder, now) for each in found if isinstance(each, Member)]
    if not tasks:
        raise UnreadableFile("; ".join(each.why.message for each in missing))
    return Order(tuple(tasks), missing)


def _read(path: Path) -> LocalDocument:
    # Imported here: without a document nobody waits for pydantic.
    from dropaudit_client.documents.local import read_local

    return read_local(path)


def _of_document(document: LocalDocument | None, folder: Path) -> list[Member | Missing]:
    if document is None or not (document.files or document.pairs):
        raise InvalidArgument(
            f"name an ONNX file, or several, or list them under `files` in {FILE_NAME}", field="artifacts"
        )
    pairs = [member for pair in document.pairs for member in pairs_of(pair.train, pair.inference, folder)]
    paired = {each.path.resolve() for each in pairs if isinstance(each, Member)}
    paired |= {each.inference.resolve() for each in pairs if isinstance(each, Member) and each.inference}
    files = members_of(document.files, folder)
    return pairs + [each for each in files if isinstance(each, Missing) or each.path.resolve() not in paired]


def _pair_or_one(
    arguments: Sequence[str], inference: Path | None, given: Given, document: LocalDocument | None, folder: Path
) -> Task:
    if not is_one_file(arguments):
        raise InvalidArgument("--inference is for one file; pairs by name stand in a dropaudit.yaml", field="inference")
    member = Member(Path(arguments[0]).as_posix(), Path(arguments[0]), inference)
    return _task(member, given, document, folder, datetime.now(UTC))


def _task(member: Member, given: Given, document: LocalDocument | None, folder: Path, now: datetime) -> Task:
    settings = settings_for(member.name, given, document, folder)
    if member.inference is not None and given.role is None:
        # A role in the document is for files that are audited by themselves.
        settings = replace(settings, role=Role.AUTO)
    return Task(member, settings, now)
