"""The difference between a document and the suites of a service, as steps: a pure function of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from dropaudit_client.documents.messages import OWNER_LABEL

Suites = Mapping[str, Mapping[str, Any]]
"""Normal forms of suites, by id."""


class Action(StrEnum):
    """A step for a suite. LEFT: the document no longer has it, and nobody asked to prune."""

    CREATE = "create"
    UPDATE = "update"
    PRUNE = "prune"
    LEFT = "left"
    UNCHANGED = "unchanged"


class Detail(msgspec.Struct, frozen=True):
    """A value that differs; None where it is not there. `path` is such as `schedule.cron` or `members[2]`."""

    path: str
    before: Any
    after: Any


class Difference(msgspec.Struct, frozen=True):
    """The step for one suite, and why."""

    suite_id: str
    action: Action
    details: tuple[Detail, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Top-level fields that differ: the mask of an update."""
        return tuple(dict.fromkeys(detail.path.partition(".")[0].partition("[")[0] for detail in self.details))


def differences(wanted: Suites, stored: Suites, owner: str, *, prune: bool) -> tuple[Difference, ...]:
    """Return what is done to each suite of the document, then to those that it once had.

    Args:
        wanted: suites of the document.
        stored: all suites of the service.
        owner: of the document; suites of other owners, and of nobody, are never pruned.
        prune: whether suites that the document no longer has are deleted.
    """
    found = [_of_one(suite_id, stored.get(suite_id), suite) for suite_id, suite in wanted.items()]
    action = Action.PRUNE if prune else Action.LEFT
    gone = [each for each, suite in stored.items() if each not in wanted and _owner(suite) == owner]
    return (*found, *(Difference(suite_id, action) for suite_id in sorted(gone)))


def _owner(suite: Mapping[str, Any]) -> str | None:
    owner: str | None = suite.get("labels", {}).get(OWNER_LABEL)
    return owner


def _of_one(suite_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Difference:
    if before is None:
        return Difference(suite_id, Action.CREATE)
    details = tuple(_details(before, after, ""))
    return Difference(suite_id, Action.UPDATE if details else Action.UNCHANGED, details)


def _details(before: Any, after: Any, path: str) -> Iterator[Detail]:
    match before, after:
        case (list(), None) | (None, list()):
            yield from _of_lists(before or [], after or [], path)
        case dict(), dict():
            for key in sorted({*before, *after}):
                yield from _details(before.get(key), after.get(key), f"{path}.{key}".lstrip("."))
        case list(), list() if len(before) == len(after):
            for place, pair in enumerate(zip(before, after, strict=True)):
                yield from _details(*pair, f"{path}[{place}]")
        case list(), list():
            yield from _of_lists(before, after, path)
        case _ if before != after:
            yield Detail(path, before, after)


def _of_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Detail]:
    """Tell what a list lost and gained, by value; where only the order or a number of equals differs, all of it."""
    lost = [Detail(f"{path}[]", each, None) for each in before if each not in after]
    gained = [Detail(f"{path}[]", None, each) for each in after if each not in before]
    yield from [*lost, *gained] or [Detail(path, before, after)]
