"""Makes a service's suites those of a document: everything is checked before anything is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from dropaudit_client.documents.checking import checked
from dropaudit_client.documents.difference import Action, Difference, differences
from dropaudit_client.documents.located import Keys, Located, read_located
from dropaudit_client.documents.messages import SecretMissing, messages_of, normal_form
from dropaudit_client.documents.problems import InvalidDocument, Problem
from dropaudit_client.documents.suites import SuitesDocument
from dropaudit_client.errors import ServiceError
from dropaudit_proto.v1 import audit_pb2 as pb


class SuiteService(Protocol):
    """The calls that applying a document makes. Every method raises ServiceError."""

    def stored_suites(self) -> Iterator[pb.Suite]:
        """Yield all suites, with all their fields."""

    def put_suite(self, suite: pb.Suite, fields: Sequence[str], *, validate_only: bool) -> None:
        """Create a suite where `fields` is empty, else change these fields of it."""

    def drop_suite(self, name: str, etag: str) -> None:
        """Delete a suite that is as it was read."""


class Application(msgspec.Struct, frozen=True):
    """The steps of applying a document, checked and not yet taken."""

    service: SuiteService
    changes: tuple[Difference, ...]
    wanted: Mapping[str, pb.Suite]
    stored: Mapping[str, pb.Suite]

    @property
    def changes_nothing(self) -> bool:
        """Whether every suite is as the document says."""
        return all(change.action in (Action.UNCHANGED, Action.LEFT) for change in self.changes)

    def apply(self) -> None:
        """Create, update and prune. Raises ServiceError; what was done stays done, and applying again goes on."""
        for change in self.changes:
            match change.action:
                case Action.CREATE | Action.UPDATE:
                    self.service.put_suite(self._message(change), change.fields, validate_only=False)
                case Action.PRUNE:
                    suite = self.stored[change.suite_id]
                    self.service.drop_suite(suite.name, suite.etag)

    def problems(self, located: Located) -> list[Problem]:
        """Ask the service about every suite that would be created or changed, and return what it finds wrong."""
        return [
            problem
            for change in self.changes
            if change.action in (Action.CREATE, Action.UPDATE)
            for problem in self._problems(change, located)
        ]

    def _problems(self, change: Difference, located: Located) -> Iterator[Problem]:
        try:
            self.service.put_suite(self._message(change), change.fields, validate_only=True)
        except ServiceError as error:
            if error.code not in ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND"):
                raise
            within: Keys = ("suites", change.suite_id)
            for field, sentence in error.violations or [("", error.message)]:
                yield located.problem((*within, *keys_of(field)), sentence)

    def _message(self, change: Difference) -> pb.Suite:
        message = pb.Suite()
        message.CopyFrom(self.wanted[change.suite_id])
        if change.action is Action.UPDATE:
            message.etag = self.stored[change.suite_id].etag
        return message


def prepare(path: Path, service: SuiteService, environ: Mapping[str, str], *, prune: bool) -> Application:
    """Read a document, compare it with what a service has, and let the service check it.

    Raises:
        UnreadableFile: the file cannot be read.
        InvalidDocument: with everything that is wrong, by itself or for this service.
        ServiceError: the service does not answer, or refuses the caller.
    """
    located = read_located(path)
    document = checked(located, SuitesDocument)
    try:
        wanted = messages_of(document, environ)
    except SecretMissing as error:
        raise InvalidDocument(located.name, [located.problem(error.keys, str(error))]) from None
    stored = {each.name.removeprefix("suites/"): each for each in service.stored_suites()}
    changes = differences(
        {suite_id: normal_form(each) for suite_id, each in wanted.items()},
        {suite_id: normal_form(each) for suite_id, each in stored.items()},
        document.owner,
        prune=prune,
    )
    application = Application(service, changes, wanted, stored)
    if problems := application.problems(located):
        raise InvalidDocument(located.name, problems)
    return application


def keys_of(field: str) -> Keys:
    """Return the keys of a field that a service names: `suite.members[2].glob.pattern`."""
    words = re.findall(r"[^.\[\]]+", field.removeprefix("suite").lstrip("."))
    return tuple(int(word) if word.isdecimal() else word for word in words)
