"""The fate of a child that ended in the middle of an audit, as its parent sees it."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterable

import structlog
from billiard.exceptions import TimeLimitExceeded, WorkerLostError

from dropaudit_store.audits.lifecycle import AuditStore
from dropaudit_store.errors import StoreError
from dropaudit_store.records import AuditState
from dropaudit_worker.sandbox.memory_kills import memory_kills

_SIGNAL = re.compile(r"signal (\d+)")
_STATUS = re.compile(r"exitcode (-?\d+)")

CountKills = Callable[[], int]

_log = structlog.get_logger(__name__)


class Losses:
    """A parent's care for its children: it queues the audits of lost ones, and keeps the leases of the others.

    A child cannot keep its own lease while the runtime loads a model, which stops all of its threads. Of a child that
    is lost the parent knows the cause, and that before the lease has run out.

    Args:
        worker: how the names begin that this worker's children claim audits with.
        wake: tells a worker of an audit that is queued again.
    """

    def __init__(
        self,
        audits: AuditStore,
        worker: str,
        wake: Callable[[str], None],
        max_attempts: int,
        count_kills: CountKills = memory_kills,
    ) -> None:
        self._audits = audits
        self._worker = worker
        self._wake = wake
        self._max_attempts = max_attempts
        self._count_kills = count_kills
        self._kills = count_kills()

    def child_lost(self, audit_id: str, message_id: str, error: BaseException) -> None:
        """Note that the child that had taken a message is gone. Where Redis does not answer, the lease decides."""
        cause = self._cause(error)
        _log.warning("a child was lost in the middle of an audit", audit=audit_id, cause=cause)
        try:
            state = self._audits.lose(audit_id, f"{self._worker}/{message_id}/", cause, self._max_attempts)
        except StoreError as refused:
            _log.warning("the loss could not be noted; the lease will run out", audit=audit_id, reason=refused.reason)
            return
        if state is AuditState.QUEUED:
            self._wake(audit_id)

    def keep(self, busy: Iterable[tuple[str, str]], lease_seconds: float) -> None:
        """Keep the leases of audits, given with the messages that children have taken for them."""
        try:
            for audit_id, message_id in busy:
                self._audits.keep(audit_id, f"{self._worker}/{message_id}/", lease_seconds)
        except StoreError as refused:
            _log.warning("leases could not be kept; they may run out", reason=refused.reason)

    def _cause(self, error: BaseException) -> str:
        before, self._kills = self._kills, self._count_kills()
        if isinstance(error, TimeLimitExceeded):
            return "time: its parent killed it at the hard time limit"
        found = _SIGNAL.search(str(error))
        if found is None:
            status = _STATUS.search(str(error))
            return f"it ended by itself, with status {status[1]}" if status else "it ended by itself"
        number = int(found[1])
        if number == signal.SIGALRM:
            return "time: it ended itself at the hard time limit"
        if number == signal.SIGKILL and self._kills > before:
            return "memory: the kernel killed it for want of memory"
        names = {each.value: each.name for each in signal.Signals}
        return f"signal {number} ({names.get(number, 'unknown')})"


def is_loss(error: object) -> bool:
    """Whether Celery reports a child that is gone, and not a task that raised."""
    return isinstance(error, WorkerLostError | TimeLimitExceeded)
