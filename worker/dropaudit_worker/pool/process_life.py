"""How a worker's processes begin and end: what children are told of the parent, and the parent of its children."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from celery.signals import task_failure, worker_process_init, worker_process_shutdown, worker_shutting_down
from celery.worker.state import active_requests

from dropaudit_store.shared.task_names import AUDIT_TASK
from dropaudit_worker.pool.children import ChildLimits, Orphan, prepare
from dropaudit_worker.pool.losses import Losses, is_loss
from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits

Begin = Callable[[], None]

# Which byte says that the worker was asked to stop, and which that it has said what it had to say once.
_LEAVING, _SAID = 0, 1


class ProcessLife:
    """One worker: a parent, and the children that it forks.

    Args:
        limits: of each child; None for none.
    """

    def __init__(self, limits: ChildLimits | None) -> None:
        self._limits = limits
        # Bytes that parent and children share.
        self._shared = mmap.mmap(-1, 2)
        self._orphan: Orphan | None = None

    @property
    def sandbox_limits(self) -> SandboxLimits:
        """Limits of each child's sandbox."""
        return self._limits.of_sandbox if self._limits is not None else SandboxLimits()

    def is_leaving(self) -> bool:
        """Whether this worker has been asked to stop, or the parent is gone."""
        return self._shared[_LEAVING] == 1 or (self._orphan is not None and self._orphan.is_one())

    def busy(self) -> AbstractContextManager[None]:
        """Let the work inside come to its end, even if the parent is gone."""
        return self._orphan.busy() if self._orphan is not None else nullcontext()

    def is_first(self) -> bool:
        """Whether this is the first time that this is asked, in parent and children together."""
        before, self._shared[_SAID] = self._shared[_SAID], 1
        return before == 0

    def watch(self, losses: Losses, begin: Begin, end: Begin) -> None:
        """Begin to listen; called in the parent, before it forks.

        Args:
            begin: called in each child once it has its share of the machine.
            end: called in each child before it ends.
        """

        def begin_child(**_: Any) -> None:
            self._orphan = Orphan()
            self._orphan.watch()
            if self._limits is not None:
                prepare(self._limits)
            begin()

        def failed(sender: Any, task_id: str, exception: BaseException, args: Any, **_: Any) -> None:
            if is_loss(exception) and sender.name == AUDIT_TASK:
                losses.child_lost(args[0], task_id, exception)

        def leave(**_: Any) -> None:
            self._shared[_LEAVING] = 1

        worker_process_init.connect(begin_child, weak=False)
        worker_process_shutdown.connect(lambda **_: end(), weak=False)
        task_failure.connect(failed, weak=False)
        worker_shutting_down.connect(leave, weak=False)


def busy_audits() -> list[tuple[str, str]]:
    """Return the audits that children of this process have taken, each with the message that told of it."""
    return [(each.args[0], each.id) for each in active_requests if each.name == AUDIT_TASK and each.args]
