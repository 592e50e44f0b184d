"""Keeps a sandbox for as long as it may be trusted to be as it was, and has the next one ready."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from dropaudit_worker.sandbox.confinement.process_limits import SandboxLimits
from dropaudit_worker.sandbox.content import Content
from dropaudit_worker.sandbox.host import IsStopped, Sandbox, Tell
from dropaudit_worker.sandbox.wire import Ending, Failed, Job, Made

# Whether nobody has said yet what the kernel does not give.
IsFirst = Callable[[], bool]
# Beside a sandbox that has grown so much there is hardly room for another audit.
_LARGEST_SHARE = 0.5

_log = structlog.get_logger(__name__)


class SandboxKeeper:
    """One sandbox after another: a new one after a number of jobs, and after any job that did not end well.

    Args:
        limits: of each sandbox.
        most_jobs: that one does; 0 for any number.
        is_first: True once for all processes of a worker.
        start: starts a sandbox.
    """

    def __init__(
        self,
        limits: SandboxLimits,
        most_jobs: int,
        is_first: IsFirst,
        start: Callable[[SandboxLimits], Sandbox] = Sandbox,
    ) -> None:
        self._limits = limits
        self._most_jobs = most_jobs
        self._is_first = is_first
        self._start = start
        self._sandbox: Sandbox | None = None
        self._done = 0
        self._number = 0

    def warm(self) -> None:
        """Start a sandbox, unless one is there."""
        if self._sandbox is None:
            self._sandbox, self._done = self._start(self._limits), 0

    def number(self) -> int:
        """Return a number for a job that none had."""
        self._number += 1
        return self._number

    def run(self, job: Job, content: Sequence[Content], tell: Tell, is_stopped: IsStopped, seconds: float) -> Ending:
        """Run a job in the current sandbox; raises as `Sandbox.run` does."""
        self.warm()
        assert self._sandbox is not None
        keeps = False
        try:
            ending = self._sandbox.run(job, content, tell, is_stopped, seconds)
            self._say(self._sandbox)
            self._done += 1
            keeps = self._is_as_it_was(ending)
        finally:
            if not keeps:
                self.close()
                self.warm()
        if isinstance(ending, Failed):
            _log.error("a job failed unexpectedly in its sandbox", job=job.number, trace=ending.trace)
        return ending

    def close(self) -> None:
        """End the sandbox."""
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None

    def _is_as_it_was(self, ending: Ending) -> bool:
        most = self._limits.memory_bytes * _LARGEST_SHARE
        return (
            isinstance(ending, Made)
            and (not most or ending.memory_bytes < most)
            and (not self._most_jobs or self._done < self._most_jobs)
        )

    def _say(self, sandbox: Sandbox) -> None:
        if sandbox.missing and self._is_first():
            _log.warning(
                "the sandbox that runs models lacks protections that the kernel or the container does not offer",
                missing=", ".join(sandbox.missing),
            )
