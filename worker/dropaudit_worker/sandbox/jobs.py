"""Audits and inspections as a sandbox makes them. What it answers is taken for nothing but data."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec

from dropaudit import errors
from dropaudit.errors import AuditError, OutOfMemory
from dropaudit.plan import IsCancelled, OnProgress, Phase, Plan, Progress
from dropaudit.report import Report, Site, from_json
from dropaudit_store.records import Failure, Spec
from dropaudit_worker.sandbox.content import Content, Material, length
from dropaudit_worker.sandbox.host import SandboxLost
from dropaudit_worker.sandbox.keeper import SandboxKeeper
from dropaudit_worker.sandbox.wire import AuditJob, Ending, InspectJob, Made, Refused, Told

_REASONS = frozenset(
    kind.reason for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AuditError)
)
INTERNAL = "INTERNAL"
_PAUSE_SECONDS = 0.01
T = TypeVar("T")


class SandboxedAudits:
    """Makes audits in a sandbox.

    Args:
        seconds: longest audit.
        looked_up: told how many prepared artifacts the sandbox had kept, and how many it had not.
    """

    def __init__(
        self, keeper: SandboxKeeper, seconds: float, looked_up: Callable[[int, int], None] = lambda hits, misses: None
    ) -> None:
        self._keeper = keeper
        self._seconds = seconds
        self._looked_up = looked_up

    def __call__(
        self, material: Material, plan: Plan, progress: OnProgress, cancelled: IsCancelled, /
    ) -> Report | Failure:
        """Make an audit.

        Raises:
            TimeLimitExceeded: it took longer than it may.
            AuditCancelled: it was told to end.
            OutOfMemory: it wanted more memory than it may take.
            SandboxLost: its sandbox is gone for another reason.
        """
        sparing = _Sparing(progress)

        def tell(told: Told) -> None:
            sparing.tell(_converted(told.progress, lambda each: msgspec.convert(each, Progress, strict=False)))

        sizes = tuple(map(length, material.content))
        job = AuditJob(number=self._keeper.number(), spec=Spec(subject=material.subject, plan=plan), sizes=sizes)
        with _losses_told():
            ending = self._keeper.run(job, material.content, tell, cancelled, self._seconds)
        if isinstance(ending, Made):
            self._looked_up(ending.hits, ending.misses)
            return _converted(ending.report or {}, from_json)
        return _failure(ending, "the audit failed unexpectedly; the worker's log says why")


class _Sparing:
    """Passes progress on, so much of it in a second: a model could have it told without end."""

    def __init__(self, progress: OnProgress) -> None:
        self._progress = progress
        self._phase: Phase | None = None
        self._next = 0.0

    def tell(self, state: Progress) -> None:
        now = time.monotonic()
        if state.phase != self._phase or now >= self._next:
            self._phase, self._next = state.phase, now + _PAUSE_SECONDS
            self._progress(state)


class SandboxedInspections:
    """Looks at models in a sandbox.

    Args:
        seconds: longest look.
    """

    def __init__(self, keeper: SandboxKeeper, seconds: float) -> None:
        self._keeper = keeper
        self._seconds = seconds

    def __call__(self, content: Content, /) -> tuple[Site, ...] | Failure:
        """Return the sites of a model. Raises as an audit does; it cannot be cancelled."""
        job = InspectJob(number=self._keeper.number(), sizes=(length(content),))
        with _losses_told():
            ending = self._keeper.run(job, [content], lambda _: None, lambda: False, self._seconds)
        if isinstance(ending, Made):
            return tuple(
                _converted(site, lambda each: msgspec.convert(each, Site, strict=False)) for site in ending.sites
            )
        return _failure(ending, "the inspection failed unexpectedly; the worker's log says why")


@contextmanager
def _losses_told() -> Iterator[None]:
    try:
        yield
    except SandboxLost as lost:
        if lost.by_memory:
            raise OutOfMemory from lost
        raise


def _failure(ending: Ending, unexpected: str) -> Failure:
    if isinstance(ending, Refused) and ending.reason in _REASONS:
        return Failure(reason=ending.reason, message=ending.message)
    return Failure(reason=INTERNAL, message=unexpected)


def _converted(document: dict[str, Any], convert: Callable[[dict[str, Any]], T]) -> T:
    try:
        return convert(document)
    except (msgspec.MsgspecError, ValueError) as error:
        raise SandboxLost(f"what it answered cannot be read: {error}") from error
